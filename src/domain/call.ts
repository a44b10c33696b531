import type { HookId, ParticipantSid, RoomSid } from "./ids";

/** What is remembered of a call while its events come in (routing rules 6 to 9). */
export type CallMemory = {
  readonly roomSid: RoomSid;
  readonly roomName: string;
  /** In the order in which they became known; a call keeps its hooks for its life. */
  readonly hooks: readonly HookId[];
  /** Who has been decided. A participant that is not here is unknown, or a SIP one whose attributes have not come. */
  readonly participants: ReadonlyMap<ParticipantSid, ParticipantRoute>;
};

/** Where a participant's events go; decided once. */
export type ParticipantRoute =
  /** A SIP participant that called this hook's host: nobody else sees it. */
  | { readonly kind: "hook"; readonly hook: HookId }
  /** An agent, a user, or a SIP participant that no hook matches: every hook of the room. */
  | { readonly kind: "room" };

export function newCall(roomSid: RoomSid, roomName: string): CallMemory {
  return { roomSid, roomName, hooks: [], participants: new Map() };
}

/** A call is forgotten this long after its last event (routing rule 8). */
export const CALL_MEMORY_MS = 24 * 60 * 60 * 1000;
/** An event without a room sid belongs to the newest call of its room's name, unless that ended longer ago. */
export const FINISHED_CALL_MS = 60 * 60 * 1000;
/** Held events are listed as unmatched after this, or when the room finishes (routing rule 7). */
export const HELD_MS = 30 * 1000;
