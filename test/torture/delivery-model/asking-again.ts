import type { StoredDelivery } from "../stored-deliveries";
import { hookIdOf, hookKey } from "./hook-keys";
import { cancelled, isInTable, routeAgain, type Model } from "./model";
import { promise } from "./promise";
import { Step } from "./step";
import type { ModelWorld } from "./world";

/** What is asked for: all of a hook, or of a call. */
export type Selection = { readonly hook: string } | { readonly call: string };

const UNSUCCESSFUL = ["dead", "expired", "cancelled"] as const;

/** What did not arrive is sent again; with `delivered` also what did. */
export class Replays extends Step {
  readonly #selection: Selection;
  readonly #delivered: boolean;

  constructor(selection: Selection, delivered: boolean) {
    super();
    this.#selection = selection;
    this.#delivered = delivered;
  }

  override async act(model: Model, world: ModelWorld): Promise<void> {
    const exists = isThere(model, this.#selection);
    const before = world.stored();
    const states: string[] = [...UNSUCCESSFUL, ...(this.#delivered ? ["delivered"] : [])];
    await world.ask("POST", "/sip/replay", { ...asked(this.#selection), states }, exists ? 200 : 404);
    if (!exists) return;
    const keys = new Map(
      model.lanes.values().flatMap((lane) => lane.map(({ hook }) => [hookIdOf(hook), hook] as const)),
    );
    const active = ({ hook }: StoredDelivery) => isInTable(model, keys.get(hook) ?? "");
    const latest = [...new Map(before.map((row) => [`${row.hook} ${row.event}`, row])).values()];
    const wanted = latest.filter(
      (row) => fits(model, this.#selection, row) && active(row) && states.includes(row.state),
    );
    const added = world.stored().slice(before.length);
    for (const [lane, rows] of Map.groupBy(added, laneOf)) {
      const expected = wanted.filter((row) => laneOf(row) === lane).map(({ event }) => event);
      // The events' numbers are the order in which they were kept.
      expected.sort((a, b) => numberOf(a) - numberOf(b));
      const found = rows.map(({ event }) => event);
      promise("a replay queues what fits, in the order of the events", String(found) === String(expected), {
        expected,
        found,
      });
    }
    promise("a replay queues all that fits", added.length === wanted.length, { added, wanted });
  }

  override toString(): string {
    return `replay(${Object.values(this.#selection)[0]}${this.#delivered ? ", delivered too" : ""})`;
  }
}

/** What is pending is not to be sent. */
export class Cancels extends Step {
  readonly #selection: Selection;

  constructor(selection: Selection) {
    super();
    this.#selection = selection;
  }

  override async act(model: Model, world: ModelWorld): Promise<void> {
    const exists = isThere(model, this.#selection);
    const before = new Set(
      world
        .stored()
        .filter((row) => fits(model, this.#selection, row))
        .map(({ id }) => id),
    );
    cancelled(model, ({ hook, roomSid }) => fits(model, this.#selection, { hook: hookIdOf(hook), roomSid }));
    await world.ask("POST", "/sip/deliveries/cancel", asked(this.#selection), exists ? 200 : 404);
    const left = world.stored().filter(({ id, state }) => before.has(id) && state === "pending");
    promise("what is cancelled is not pending any more", !exists || left.length === 0, left);
  }

  override toString(): string {
    return `cancel(${Object.values(this.#selection)[0]})`;
  }
}

/** The calls that found no hook are routed again. */
export class RoutesAgain extends Step {
  override async act(model: Model, world: ModelWorld): Promise<void> {
    routeAgain(model);
    await world.ask("POST", "/sip/replay", { unmatched: {} });
  }

  override toString(): string {
    return "replay(unmatched)";
  }
}

function isThere(model: Model, selection: Selection): boolean {
  return "hook" in selection ? model.table.has(selection.hook) : model.calls.has(`RM_${selection.call}`);
}

const asked = (selection: Selection): object => ("hook" in selection ? selection : { call: `RM_${selection.call}` });

function fits(
  model: Model,
  selection: Selection,
  { hook, roomSid }: Pick<StoredDelivery, "hook" | "roomSid">,
): boolean {
  if ("call" in selection) return roomSid === `RM_${selection.call}`;
  const entry = model.table.get(selection.hook);
  return entry !== undefined && hook === hookIdOf(hookKey(selection.hook, entry.tenant));
}

const laneOf = ({ hook, roomSid }: StoredDelivery): string => `${hook} ${roomSid}`;
const numberOf = (event: string): number => Number(event.slice(event.lastIndexOf("_") + 1));
