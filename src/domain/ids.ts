declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** LiveKit's id of one life of a room (`RM_…`): what this program calls a call. */
export type RoomSid = Branded<"RoomSid">;
/** LiveKit's id of one webhook (`EV_…`), sent on as `webhook-id`. */
export type EventId = Branded<"EventId">;
/** LiveKit's id of one participant (`PA_…`). An identity is never used in its place: a rejoin repeats it. */
export type ParticipantSid = Branded<"ParticipantSid">;
/** Id of a hook: a digest of its host and auth_id (see `hook.ts`). */
export type HookId = Branded<"HookId">;

export const roomSid = (text: string): RoomSid => text as RoomSid;
export const eventId = (text: string): EventId => text as EventId;
export const participantSid = (text: string): ParticipantSid => text as ParticipantSid;
export const hookIdFrom = (text: string): HookId => text as HookId;
