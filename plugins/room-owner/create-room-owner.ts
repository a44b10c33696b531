import type { Clock } from "../../src/contracts/clock";
import type { Logger } from "../../src/contracts/logger";
import type { OwnerTask } from "../../src/contracts/storage";
import type { RoomSid } from "../../src/domain/ids";
import type { Secret } from "../../src/domain/secret";
import { claimRoom, type ClaimResult } from "./claim-room";
import { judgeFailure } from "./judge-failure";

export type RoomOwnerOptions = {
  /** LiveKit's URL: `ws:`, `wss:`, `http:` or `https:`. */
  readonly url: string;
  readonly apiKey: string;
  readonly apiSecret: Secret;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called once for each claim that came to an end; not for those that `stop` interrupts. */
  readonly onDone: (task: OwnerTask, outcome: ClaimOutcome) => void | Promise<void>;
  /** Rooms that are asked about at a time; default 4. */
  readonly concurrency?: number;
  /** Rooms that are remembered at most; default 10,000. */
  readonly maxRooms?: number;
};

export type ClaimOutcome = Exclude<ClaimResult["kind"], "abandoned"> | "refused" | "room finished";

export type RoomOwner = {
  /**
   * Has the room made owned by its tenant, soon, and again until it is. Claims of one room are made in their order.
   * False when it is not taken because too many are waiting: it stays with the storage, and is offered again at the
   * next start.
   */
  claim(task: OwnerTask): boolean;
  /** Ends all claims of this room; nothing is asked about it any more. */
  roomFinished(roomSid: RoomSid): void;
  /** Ends everything; what is under way at LiveKit stays. */
  stop(): void;
};

/** Milliseconds between tries; the last one repeats. */
const WAITS = [1_000, 2_000, 5_000, 15_000, 30_000, 60_000];

/** A room with claims: the first is the one that is tried. */
type Room = { readonly sid: RoomSid; readonly claims: OwnerTask[]; tries: number; over: boolean; cancel: () => void };

/**
 * Makes rooms owned by the tenants of their hooks (routing rule 11), off the way of the webhooks.
 *
 * The SDK's client ends a request after 10 s. Its failover to other regions is off: it writes to the console, and a
 * claim is tried again anyway. Its fetch follows HTTP_PROXY and HTTPS_PROXY, so LiveKit's host may have to be named in
 * NO_PROXY.
 */
export function createRoomOwner(options: RoomOwnerOptions): RoomOwner {
  const { clock, log, onDone, concurrency = 4, maxRooms = 10_000 } = options;
  const client = makeOnce(async () => {
    const { RoomServiceClient } = await import("livekit-server-sdk");
    return new RoomServiceClient(options.url, options.apiKey, options.apiSecret.reveal(), { failover: false });
  });
  const rooms = new Map<RoomSid, Room>();
  const ready = new Set<Room>();
  let active = 0;
  let full = false;
  let stopped = false;

  function pump(): void {
    for (const room of ready) {
      if (active >= concurrency) return;
      ready.delete(room);
      active += 1;
      void tryClaim(room).finally(() => {
        active -= 1;
        pump();
      });
    }
  }

  /** Never rejects. */
  async function tryClaim(room: Room): Promise<void> {
    const [task] = room.claims;
    if (task === undefined) return;
    try {
      const result = await claimRoom(task, await client(), () => !room.over);
      if (room.over || result.kind === "abandoned") return;
      report(task, result);
      finish(room, task, result.kind);
    } catch (error) {
      if (room.over) return;
      const failure = judgeFailure(error);
      if (failure.kind === "try again") {
        later(room, task, failure.reason);
        return;
      }
      if (failure.kind === "refused") {
        log.warn(fields(task), `The room's metadata does not take its auth_id, it is left alone: ${failure.reason}`);
      }
      finish(room, task, failure.kind);
    }
  }

  function later(room: Room, task: OwnerTask, reason: string): void {
    const wait = WAITS[Math.min(room.tries, WAITS.length - 1)] ?? 0;
    // One warning for each room, not one for each try: an outage meets many.
    const level = room.tries === 0 ? "warn" : "debug";
    log[level]({ ...fields(task), wait_ms: wait }, `The room's auth_id could not be set yet, trying again: ${reason}`);
    room.tries += 1;
    room.cancel = clock.after(wait, () => {
      ready.add(room);
      pump();
    });
  }

  function finish(room: Room, task: OwnerTask, outcome: ClaimOutcome): void {
    room.claims.shift();
    room.tries = 0;
    if (room.claims.length > 0) ready.add(room);
    else forget(room);
    tellDone(task, outcome);
  }

  function forget(room: Room): void {
    room.over = true;
    room.cancel();
    ready.delete(room);
    rooms.delete(room.sid);
    full = false;
  }

  function tellDone(task: OwnerTask, outcome: ClaimOutcome): void {
    // Fails open: a task that could not be forgotten is looked at again after a restart, and finds nothing to do.
    Promise.try(onDone, task, outcome).catch((error: unknown) => {
      log.error({ ...fields(task), err: error }, "The room owner task could not be marked as done");
    });
  }

  function report(task: OwnerTask, result: ClaimResult): void {
    if (result.kind === "other owner") {
      log.warn(
        { ...fields(task), owner: shown(result.owner) },
        "SECURITY: the room's metadata has another auth_id than its hook; it is left alone",
      );
    } else if (result.kind === "no JSON object") {
      log.warn(fields(task), "The room's metadata is no JSON object, so it cannot have an auth_id; it is left alone");
    } else {
      log.debug({ ...fields(task), outcome: result.kind }, "Room owner");
    }
  }

  return {
    claim(task) {
      if (stopped) return false;
      const known = rooms.get(task.roomSid);
      if (known !== undefined) {
        if (!known.claims.some(({ authId }) => authId === task.authId)) known.claims.push(task);
        return true;
      }
      if (rooms.size >= maxRooms) {
        // Fails open: the calls go on, their rooms have no owner yet.
        if (!full) log.warn({ rooms: rooms.size }, "Too many rooms wait for their auth_id: no more are taken for now");
        full = true;
        return false;
      }
      const room: Room = { sid: task.roomSid, claims: [task], tries: 0, over: false, cancel: () => {} };
      rooms.set(room.sid, room);
      ready.add(room);
      pump();
      return true;
    },
    roomFinished(roomSid) {
      const room = rooms.get(roomSid);
      if (room === undefined) return;
      forget(room);
      for (const task of room.claims) tellDone(task, "room finished");
    },
    stop() {
      stopped = true;
      for (const room of rooms.values()) forget(room);
    },
  };
}

const fields = (task: OwnerTask): { room: string; room_sid: string; auth_id: string } => ({
  room: task.roomName,
  room_sid: task.roomSid,
  auth_id: task.authId,
});

/** Metadata is written by others: not much of it is logged. */
const shown = (owner: unknown): string => (typeof owner === "string" ? owner : JSON.stringify(owner)).slice(0, 100);

/** The SDK takes 60 to 100 ms to load: not before it is needed. */
function makeOnce<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => (made ??= make());
}
