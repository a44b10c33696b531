import type { StoredDelivery } from "../stored-deliveries";
import { hookIdOf, hookKey, laneKey } from "./hook-keys";
import { isInTable, type Model, type ModelDelivery } from "./model";
import { promise } from "./promise";
import { CONCURRENCY, type Attempted, type ModelWorld } from "./world";

export type Look = {
  /** The attempts that went out since the last look. */
  readonly sent: readonly Attempted[];
  /** The table's urls then: a change of the table takes effect while attempts go out. */
  readonly urlsBefore: ReadonlySet<string>;
};

/** What must hold after each command. */
export function checkPromises(model: Model, world: ModelWorld, look: Look): void {
  checkSent(model, look);
  checkUnderWay(world);
  const stored = world.stored();
  checkStored(model, stored);
  checkLanes(stored);
  checkStates(model, world, stored);
  checkTimes(model, world, stored);
}

/** Nothing goes out before its time, or waits longer than it must. To be looked at before the clock is turned again. */
export function checkTimes(model: Model, world: ModelWorld, stored: readonly StoredDelivery[]): void {
  const hooks = [...model.table].map(([host, { tenant }]) => hookKey(host, tenant));
  const active = new Set(hooks.filter((hook) => !model.paused.has(hook)).map(hookIdOf));
  const isActive = (hook: string) => active.has(hook);
  model.times.look({ happened: world.takeHappened(), stored, now: world.clock.monotonic(), isActive });
}

function checkSent(model: Model, { sent, urlsBefore }: Look): void {
  const urls = new Set([...urlsBefore, ...[...model.table.values()].map(({ url }) => url)]);
  for (const attempt of sent) {
    const lane = model.lanes.get(laneKey(attempt.hook, attempt.roomSid)) ?? [];
    const expected = lane.some(({ id }) => id === attempt.id);
    promise("what is sent is this hook's, and of nobody else's caller", expected, attempt);
    promise("what is sent goes to the hook's url of now, and to none that was deleted", urls.has(attempt.url), attempt);
    promise("nothing is sent to a hook that is paused", !model.paused.has(attempt.hook), attempt);
  }
}

function checkUnderWay({ underWay }: ModelWorld): void {
  for (const [lane, attempts] of Map.groupBy(underWay, ({ hook, roomSid }) => laneKey(hook, roomSid))) {
    promise("at most one delivery of a lane is under way", attempts.length === 1, [lane, attempts]);
  }
  for (const [hook, { length }] of Map.groupBy(underWay, (attempt) => attempt.hook)) {
    promise("a hook has no more under way than its policy says", length <= CONCURRENCY, [hook, length]);
  }
}

/** Nothing that was acknowledged is lost, nothing is there that must not be, and lanes have the order of the commits. */
function checkStored(model: Model, stored: readonly StoredDelivery[]): void {
  const byLane = Map.groupBy(stored, ({ hook, roomSid }) => `${hook} ${roomSid}`);
  let found = 0;
  for (const [lane, deliveries] of model.lanes) {
    const rows = byLane.get(storedLane(deliveries)) ?? [];
    found += rows.length;
    const expected = deliveries.filter(({ again }) => !again).map(({ id }) => id);
    const originals = rows.filter(({ replay }) => !replay).map(({ event }) => event);
    promise(`lane ${lane} has what it must have, in order`, sameList(originals, expected), { expected, originals });
    const known = new Set(deliveries.map(({ id }) => id));
    const strangers = rows.filter(({ event }) => !known.has(event));
    promise("a replay is of what the hook has or had", strangers.length === 0, strangers);
    const all = new Set(rows.map(({ event }) => event));
    const lost = deliveries.filter(({ id }) => !all.has(id));
    promise("what was routed again is there", lost.length === 0, lost);
  }
  promise("there is no lane that must not be", found === stored.length, { found, stored: stored.length });
}

/** Of a lane only the first that is pending may have been tried; what was tried and cancelled may be behind it. */
function checkLanes(stored: readonly StoredDelivery[]): void {
  for (const lane of Map.groupBy(stored, ({ hook, roomSid }) => `${hook} ${roomSid}`).values()) {
    const pending = lane.filter(({ state }) => state === "pending");
    const tried = pending.slice(1).filter(({ tries }) => tries.length > 0);
    promise("a lane goes on only when what came before has ended", tried.length === 0, lane);
    const [first] = pending;
    const overtaking = lane.filter(({ id, state }) => first !== undefined && id > first.id && GOES_OUT.has(state));
    promise("nothing goes out before what came before it in its lane", overtaking.length === 0, lane);
    const twice = pending.length - new Set(pending.map(({ event }) => event)).size;
    promise("no event waits twice for one hook", twice === 0, lane);
  }
}

const GOES_OUT = new Set<StoredDelivery["state"]>(["delivered", "dead", "expired"]);

function checkStates(model: Model, world: ModelWorld, stored: readonly StoredDelivery[]): void {
  const attempts = Map.groupBy(world.attempts, ({ hook, id }) => `${hookIdOf(hook)} ${id}`);
  const rows = Map.groupBy(stored, ({ hook, event }) => `${hook} ${event}`);
  for (const delivery of [...model.lanes.values()].flat()) {
    const key = `${hookIdOf(delivery.hook)} ${delivery.id}`;
    const of = rows.get(key) ?? [];
    checkTaken(of, attempts.get(key) ?? []);
    for (const row of of) checkState(model, delivery, row);
  }
}

/** What was answered with a 2xx, and whose process did not end in the same moment. */
function checkTaken(rows: readonly StoredDelivery[], attempts: readonly Attempted[]): void {
  const isSuccess = ({ status }: Attempted) => typeof status === "number" && status < 300;
  const taken = attempts.findIndex((attempt) => isSuccess(attempt) && !attempt.lost);
  const delivered = rows.some(({ state }) => state === "delivered");
  const replayed = rows.length > 1;
  promise("what is delivered was answered with a 2xx", !delivered || attempts.some(isSuccess), { rows, attempts });
  if (taken === -1) return;
  promise("what was answered with a 2xx is delivered", delivered, { rows, attempts });
  promise("nor is it sent again, unless somebody asks for it", replayed || taken === attempts.length - 1, attempts);
}

const MOST_TRIES_FOR_A_REFUSED_EVENT = 3;

function checkState(model: Model, delivery: ModelDelivery, row: StoredDelivery): void {
  const succeeded = row.tries.some(({ status = 0 }) => status >= 200 && status < 300);
  switch (row.state) {
    case "delivered":
      promise("what is delivered has a try that succeeded", succeeded, row);
      break;
    case "dead":
      promise("what is dead failed at least three times", row.tries.length >= MOST_TRIES_FOR_A_REFUSED_EVENT, row);
      promise("what is dead never succeeded", !succeeded, row);
      break;
    case "cancelled":
      promise("only what is cancelled, or for a hook that went, is cancelled", delivery.mayBeCancelled, row);
      break;
    case "pending":
      promise("what is for a deleted hook is not pending", isInTable(model, delivery.hook), row);
      promise("what succeeded is not pending", !succeeded, row);
      break;
    case "expired":
      promise("what expired never succeeded", !succeeded, row);
  }
}

const sameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);

function storedLane(deliveries: readonly ModelDelivery[]): string {
  const [first] = deliveries;
  return first === undefined ? "" : `${hookIdOf(first.hook)} ${first.roomSid}`;
}
