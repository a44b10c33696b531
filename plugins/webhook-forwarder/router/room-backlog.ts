import type { LiveKitEvent } from "../../../src/domain/livekit-event";

const ROOMS = 10_000;
/** LiveKit drops what is older: no more than this waits for us, at whatever rate. */
const SECONDS = 30;
/** LiveKit queues these by their own id, beside the room's queue. */
const OWN_QUEUE = /^(egress|ingress)_/;

/** Events of a room by the second in which LiveKit made them. */
type Made = Map<number, number>;

/**
 * Estimates how many events of a room wait at LiveKit, behind the one that has just come.
 *
 * A room's queue is first in, first out, and sends one event at a time: what waits was made between the arrived event's
 * `createdAt` and now. It cannot be seen yet, so what the room made in a time of the same length just before stands for it.
 * That is exact at a constant rate, and after a burst never more than the burst was; a queue that has just emptied may look
 * as deep as it was. `createdAt` has whole seconds, so it is out by up to a second's worth of events. What other instances
 * took of the same room is not counted.
 */
export function createRoomBacklog() {
  const rooms = new Map<string, Made>();

  /** Takes an event that arrived `lateMs` after its `createdAt`; returns the number of events estimated behind it. */
  function note({ name, roomName, createdAt }: LiveKitEvent, lateMs: number): number {
    if (roomName === undefined || createdAt === undefined || OWN_QUEUE.test(name)) return 0;
    const made = roomOf(roomName);
    if (name === "room_finished") rooms.delete(roomName);
    forgetFarFrom(createdAt, made);
    made.set(createdAt, (made.get(createdAt) ?? 0) + 1);
    let waiting = 0;
    const seconds = Math.min(Math.round(lateMs / 1000), SECONDS);
    for (let i = 0; i < seconds; i++) waiting += made.get(createdAt - i) ?? 0;
    return waiting;
  }

  function roomOf(name: string): Made {
    const known = rooms.get(name);
    if (known !== undefined) return known;
    for (const oldest of rooms.keys()) {
      if (rooms.size < ROOMS) break;
      rooms.delete(oldest);
    }
    const made: Made = new Map();
    rooms.set(name, made);
    return made;
  }

  return { note };
}

/** On both sides, so that LiveKit's clock may be set and a room never has more than a minute. */
function forgetFarFrom(createdAt: number, made: Made): void {
  for (const second of made.keys()) if (Math.abs(second - createdAt) > SECONDS) made.delete(second);
}
