import type { ParticipantSid, RoomSid } from "../../../src/domain/ids";
import type { LiveKitEvent } from "../../../src/domain/livekit-event";

/** Events that must have been there, seen from those that came. */
export type Gaps = {
  /** Events whose `createdAt` is before that of one of their room that came earlier: from another node, or late. */
  readonly outOfOrder: number;
  /** Rooms of which `room_started` did not come first; also those that began before this process. */
  readonly unseenStart: number;
  /** Participants that left a room, seen from its start, which they had not joined. */
  readonly missingJoined: number;
  /** Participants that had not left a room when it finished. */
  readonly missingLeft: number;
};

type Room = {
  /** Its `room_started` came, so that what is not known of it did not come. */
  readonly whole: boolean;
  readonly inside: Set<ParticipantSid>;
  newest: number;
};

const ROOMS = 10_000;
/** More are not followed, so that one room cannot fill the memory. */
const PARTICIPANTS_PER_ROOM = 1_000;

/** Follows the rooms that are under way, and counts what is missing of their events. */
export function createRoomProgress() {
  const rooms = new Map<RoomSid, Room>();
  const gaps = { outOfOrder: 0, unseenStart: 0, missingJoined: 0, missingLeft: 0 };

  /** Takes an event in the order of its arrival; returns the name of the event that must be missing before it, if one is. */
  function note(event: LiveKitEvent): string | undefined {
    const { name, roomSid, createdAt, subject } = event;
    if (roomSid === undefined) return undefined;
    const room = roomOf(roomSid, name);
    // What comes after the end (egress_ended), or is all that is known of a room, says nothing about its order.
    if (room === undefined) return undefined;
    if (createdAt !== undefined) {
      if (createdAt < room.newest) gaps.outOfOrder++;
      room.newest = Math.max(room.newest, createdAt);
    }
    if (name === "room_finished") return finish(roomSid, room);
    return subject.kind === "participant" ? noteParticipant(room, name, subject.sid) : undefined;
  }

  function roomOf(sid: RoomSid, name: string): Room | undefined {
    const known = rooms.get(sid);
    if (known !== undefined || (name !== "room_started" && name !== "participant_joined")) return known;
    const room: Room = { whole: name === "room_started", inside: new Set(), newest: 0 };
    if (!room.whole) gaps.unseenStart++;
    for (const oldest of rooms.keys()) {
      if (rooms.size < ROOMS) break;
      rooms.delete(oldest);
    }
    rooms.set(sid, room);
    return room;
  }

  function noteParticipant({ whole, inside }: Room, name: string, sid: ParticipantSid): string | undefined {
    if (name === "participant_joined" && inside.size < PARTICIPANTS_PER_ROOM) inside.add(sid);
    // One that is aborted has never joined.
    if (name !== "participant_left" || inside.delete(sid) || !whole || inside.size >= PARTICIPANTS_PER_ROOM - 1) {
      return undefined;
    }
    gaps.missingJoined++;
    return "participant_joined";
  }

  function finish(sid: RoomSid, { inside }: Room): string | undefined {
    rooms.delete(sid);
    gaps.missingLeft += inside.size;
    return inside.size === 0 ? undefined : "participant_left";
  }

  return { note, gaps: gaps as Gaps };
}
