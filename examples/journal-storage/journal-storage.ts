import { join } from "node:path";
import { defineStorage, Type } from "sayna-sip";
import type { CancelSelection, Clock, RoomSid, Storage, UnmatchedCall } from "sayna-sip";
import { FileLog } from "./file-log";
import { differencesTo, hookDifferences, hookVersions, onlyThese, prepareChange, presentHooks } from "./hooks";
import { Journal, recorded } from "./journal";
import { earlierOf, newestCall } from "./keep";
import { claim, deliveriesOf, waitingHooks } from "./lanes";
import type { LineLog } from "./line-log";
import { pageOf } from "./pages";
import { eventsOf, type Delivery, type KeptEvent, type State } from "./state";
import { chooseRemoval, roomOf } from "./upkeep";
import { beganAt, fitsCall, fitsDelivery, maySee, showCall, showDelivery, showEvent, showUnmatched } from "./views";

/** Everything in memory, and each change in a file. */
export default defineStorage({
  name: "journal",
  contract: "1.0",
  options: Type.Object({
    file: Type.String({ description: "The journal's name, in `data_dir`.", default: "journal" }),
  }),
  async create({ options, dataDir, clock, log }) {
    const path = join(dataDir, options.file);
    const storage = await journalStorage(await FileLog.open(path), clock);
    log.info({ path }, "The journal is open");
    return { storage };
  },
});

/** A storage whose changes are lines of this log. */
export async function journalStorage(lines: LineLog, clock: Clock): Promise<Storage> {
  const journal = await Journal.open(lines);
  const now = () => journal.state;
  const all = () => [...now().deliveries.values()];
  const callBy = (sid: RoomSid) => now().calls.get(sid);

  return {
    // Events and deliveries.
    commit: (events, plan) => journal.transact((write) => write("keep", events, recorded(plan), clock.now())),
    listUnmatched: (heldBefore) =>
      journal.transact((write, state) => {
        const late = overdue(state, heldBefore);
        const events = late.map(({ seq }) => seq);
        if (events.length > 0) write("markUnmatched", events);
        return [...Map.groupBy(late, ({ call }) => call).values()].map(toUnmatchedCall);
      }),
    waitingHooks: async () => waitingHooks(now()),
    claim: async (hook, options) => claim(now(), hook, options),
    makeDue: (hook, at) => journal.transact((write) => write("makeDue", hook, at)),
    limitWaits: (hook, at) => journal.transact((write) => write("limitWaits", hook, at)),
    settle: (settlements) => journal.transact((write) => write("settle", settlements)),
    cancelHook: (hook) =>
      journal.transact((write, state) =>
        write("cancel", idsOf(deliveriesOf(state, hook)), "the hook was deleted", clock.now()),
      ),

    // Hooks.
    rememberHooks: (hooks) => journal.transact((write) => write("rememberHooks", hooks)),
    readHooks: async (page) => {
      const hooks = [...now().hooks.values()].map((hook, i) => ({ hook, i }));
      const { entries, next } = pageOf(hooks, ({ i }) => [i, 0], "ascending", page);
      return { entries: entries.map(({ hook }) => hook), next };
    },
    changeHooks: (author, hosts, change) =>
      journal.transact(async (write, state) => {
        const replacements = await change(presentHooks(state, hosts));
        return write("replaceHooks", author, await prepareChange(state, onlyThese(replacements, hosts)));
      }),
    restoreHooks: (author, version, change) =>
      journal.transact(async (write, state) => {
        const differences = differencesTo(state, version);
        const allowed = onlyThese(
          await change(differences),
          differences.map(({ host }) => host),
        );
        return write("replaceHooks", author, await prepareChange(state, allowed));
      }),
    hookVersions: async (limit, before) => hookVersions(now(), limit, before),
    hookDifferences: async (from, to) => hookDifferences(now(), from, to),
    pausedHooks: async () => [...now().paused.values()],
    pauseHooks: (hooks, reason, at) => journal.transact((write) => write("pause", hooks, reason, at)),
    resumeHooks: (hooks) => journal.transact((write) => write("resume", hooks)),

    // Rooms that are to be owned.
    ownerTasks: async () =>
      [...now().calls.values()]
        .filter(({ finishedAt }) => finishedAt === undefined)
        .flatMap(({ owners, memory: { roomSid, roomName } }) =>
          [...owners].flatMap(([authId, done]) => (done === "open" ? [{ roomSid, roomName, authId }] : [])),
        ),
    ownerTaskDone: (task) => journal.transact((write) => write("ownerTaskDone", task)),

    // What happened.
    deliveries: async (filter, page) => {
      const found = all().filter((delivery) => fitsDelivery(now(), delivery, filter));
      const { entries, next } = pageOf(found, ({ madeAt, id }) => [madeAt, id], "descending", page);
      return { entries: entries.map((delivery) => showDelivery(now(), delivery)), next };
    },
    delivery: async (id, viewer) => {
      const delivery = now().deliveries.get(id);
      const seen = delivery !== undefined && maySee(now(), viewer, delivery.hook);
      return seen ? showDelivery(now(), delivery) : undefined;
    },
    unmatched: async (filter, page) => {
      const found = [...now().events.values()].flatMap((event) => {
        const shown = showUnmatched(event, filter);
        return shown === undefined ? [] : [{ shown, seq: event.seq }];
      });
      const { entries, next } = pageOf(found, ({ shown, seq }) => [shown.receivedAt, seq], "descending", page);
      return { entries: entries.map(({ shown }) => shown), next };
    },
    calls: async (filter, page) => {
      const found = [...now().calls.values()].filter((call) => fitsCall(now(), call, filter));
      const began = (call: (typeof found)[number]) => [beganAt(now(), call, filter.viewer), call.id] as const;
      const { entries, next } = pageOf(found, began, "descending", page);
      return { entries: entries.flatMap((call) => showCall(now(), call, filter.viewer) ?? []), next };
    },
    call: async (sid, viewer) => {
      const call = callBy(sid);
      return call === undefined ? undefined : showCall(now(), call, viewer);
    },
    timeline: async (sid, viewer, page) => {
      const call = callBy(sid);
      const shown = (call === undefined ? [] : eventsOf(now(), call)).filter(
        ({ deliveries }) => viewer === "operator" || deliveries.some(({ hook }) => maySee(now(), viewer, hook)),
      );
      const { entries, next } = pageOf(shown, ({ seq }) => [seq, 0], "ascending", page);
      return { entries: entries.map((event) => showEvent(now(), event, viewer)), next };
    },
    callsWithoutHook: async ({ since = 0, until = Infinity, room }, page) => {
      const lost = [...now().events.values()].filter(
        ({ call, state, incoming: { receivedAt } }) =>
          state !== "routed" &&
          call?.memory.hooks.length === 0 &&
          [undefined, call.memory.roomName].includes(room) &&
          receivedAt >= since &&
          receivedAt < until,
      );
      const { entries, next } = pageOf(lost, ({ incoming, seq }) => [incoming.receivedAt, seq], "ascending", page);
      return { entries: [...new Set(entries.flatMap(({ call }) => call?.memory.roomSid ?? []))], next };
    },
    eventsWithoutHook: async (sid) => {
      const call = callBy(sid);
      if (call === undefined || call.memory.hooks.length > 0) return undefined;
      return eventsOf(now(), call).map(({ incoming: { event, body, receivedAt } }) => ({
        id: event.id,
        body,
        receivedAt,
      }));
    },
    remembered: async (event, at) => {
      const duplicate = now().byId.has(event.id) || now().removedIds.has(event.id);
      const call = event.roomSid === undefined ? newestCall(now(), event.roomName ?? "", at) : callBy(event.roomSid);
      if (call === undefined) return { duplicate, call };
      const earlier = (which: "all" | "held") => earlierOf(now(), call, which);
      return { duplicate, call: { memory: call.memory, all: earlier("all"), held: earlier("held") } };
    },

    // Again, or no more.
    replay: (selection, { plan, ...again }) =>
      journal.transact((write) => write("replay", selection, recorded(plan), again)),
    routeAgain: (sid, events, { plan, ...again }) =>
      journal.transact((write) => write("routeAgain", sid, events, recorded(plan), again)),
    cancelPending: (selection, reason, at) =>
      journal.transact((write, state) => {
        const selected = all().filter((delivery) => isSelected(state, delivery, selection));
        return write("cancel", idsOf(selected), reason, at);
      }),

    // Upkeep.
    sweep: (limits, at) =>
      journal.transact((write, state) => {
        const removal = chooseRemoval(state, limits, at);
        if (Object.values(removal).some((list) => list.length > 0)) write("remove", removal, at);
        return { removed: removal.events.length, more: removal.events.length > 0 };
      }),
    room: (limits) => roomOf(now(), limits),
    checkWritable: () => lines.check(),
    close: () => journal.close(),
  };
}

const idsOf = (deliveries: readonly Delivery[]): number[] => deliveries.map(({ id }) => id);

/** Held since before then, or for a room that is over. */
const overdue = (state: State, heldBefore: number): KeptEvent[] =>
  [...state.events.values()].filter(
    ({ state: held, call, incoming }) =>
      held === "held" && (incoming.receivedAt <= heldBefore || call?.finishedAt !== undefined),
  );

function toUnmatchedCall(events: readonly KeptEvent[]): UnmatchedCall {
  const [first] = events;
  const roomName = first?.incoming.event.roomName ?? "";
  return { roomSid: first?.call?.memory.roomSid, roomName, events: events.length };
}

function isSelected(state: State, delivery: Delivery, selection: CancelSelection): boolean {
  if (selection.kind === "hook") return delivery.hook === selection.hook;
  if (!maySee(state, selection.viewer, delivery.hook)) return false;
  return selection.kind === "call"
    ? delivery.call.memory.roomSid === selection.roomSid
    : selection.ids.includes(delivery.id);
}
