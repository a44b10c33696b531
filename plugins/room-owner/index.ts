export { createRoomOwner } from "./create-room-owner";
export type { ClaimOutcome, RoomOwner, RoomOwnerOptions } from "./create-room-owner";
