import { sleep, type Clock } from "../../src/contracts/clock";
import type { CallView, DeliveryState, History, TimelineEvent } from "../../src/contracts/history";
import type { Logger } from "../../src/contracts/logger";
import type { RoomSid } from "../../src/domain/ids";

export type CallEndLogOptions = {
  readonly history: Pick<History, "call" | "timeline">;
  readonly clock: Clock;
  readonly log: Logger;
  /** False while such lines are not written anyway: then nothing is read for them. */
  readonly wanted: () => boolean;
};

export type CallEndLog = {
  /** The room has finished. */
  ended(sid: RoomSid, roomName: string | undefined): void;
  stop(): void;
};

/** What a call brought is mostly delivered by then; what is not is counted as pending. */
const AFTER_MS = 2_000;
/** Waits between two calls, as a multiple of what reading one took (200 us with ten events): a fiftieth of the thread at most. */
const IDLE_SHARE = 49;
const MOST_WAITING = 5_000;
const EVENTS_AT_A_TIME = 200;
/** A longer call's line says that there is more. */
const MOST_PAGES = 10;
const HOSTS_LOGGED = 20;

type Ended = { readonly sid: RoomSid; readonly roomName: string | undefined; readonly due: number };

/**
 * Writes a line for each call that has ended: who it belongs to, how long it was, and what became of its events. From the
 * storage, because another instance may have delivered them, or this one before its restart. Events that follow (a recording's
 * end) are not in it.
 */
export function createCallEndLog({ history, clock, log, wanted }: CallEndLogOptions): CallEndLog {
  const waiting: Ended[] = [];
  let stopped = false;
  let running = false;

  function ended(sid: RoomSid, roomName: string | undefined): void {
    if (stopped || !wanted()) return;
    // The thread is needed for the events themselves: the call has its line, without the figures.
    if (waiting.length >= MOST_WAITING) log.info({ room: roomName, room_sid: sid }, ENDED);
    else waiting.push({ sid, roomName, due: clock.monotonic() + AFTER_MS });
    if (!running) void run();
  }

  async function run(): Promise<void> {
    running = true;
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (next.due > clock.monotonic()) await sleep(clock, next.due - clock.monotonic());
      // The storage may be closed by now.
      if (stopped) return;
      const began = clock.monotonic();
      await tell(next);
      await sleep(clock, Math.ceil((clock.monotonic() - began) * IDLE_SHARE));
    }
    running = false;
  }

  async function tell({ sid, roomName }: Ended): Promise<void> {
    try {
      const call = await history.call(sid, "operator");
      if (call !== undefined) log.info({ ...aboutCall(call), ...(await count(sid)) }, ENDED);
    } catch (error) {
      // Fails open because it is a line of the log: the call and its events are in the storage.
      log.info({ room: roomName, room_sid: sid, err: error }, ENDED);
    }
  }

  async function count(sid: RoomSid) {
    const figures = { events: 0, delivered: 0, pending: 0, dead: 0, expired: 0, cancelled: 0, held: 0 };
    let after: string | undefined;
    for (let page = 0; page < MOST_PAGES; page++) {
      const { entries, next } = await history.timeline(sid, "operator", {
        limit: EVENTS_AT_A_TIME,
        ...(after === undefined ? {} : { after }),
      });
      for (const event of entries) add(event, figures);
      if (next === undefined) return figures;
      after = next;
    }
    return { ...figures, more: true };
  }

  return {
    ended,
    stop() {
      stopped = true;
    },
  };
}

const ENDED = "Call ended";

type Figures = Record<DeliveryState | "events" | "held", number>;

/** Of what was replayed the last delivery counts. */
function add({ state, deliveries }: TimelineEvent, figures: Figures): void {
  figures.events++;
  if (state !== "routed") figures.held++;
  for (const delivery of deliveries) if (delivery.replayedBy === undefined) figures[delivery.state]++;
}

function aboutCall({ roomName, roomSid, beganAt, finishedAt, hooks }: CallView) {
  return {
    room: roomName,
    room_sid: roomSid,
    ...(finishedAt === undefined ? {} : { duration_ms: finishedAt - beganAt }),
    hooks: hooks.slice(0, HOSTS_LOGGED).map(({ host, id }) => host ?? id),
  };
}
