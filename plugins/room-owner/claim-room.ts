import type { OwnerTask } from "../../src/contracts/storage";
import { readOwnership } from "./room-ownership";

/** What is used of LiveKit's RoomServiceClient. */
export type RoomAdmin = {
  listRooms(names: string[]): Promise<readonly { readonly sid: string; readonly metadata: string }[]>;
  updateRoomMetadata(name: string, metadata: string): Promise<unknown>;
};

export type ClaimResult =
  | { readonly kind: "owned" | "already owned" | "no JSON object" | "gone" | "abandoned" }
  | { readonly kind: "other owner"; readonly owner: unknown };

/**
 * Makes the room's metadata own it (routing rule 11): one look, and a write if it needs one. What was merged is read
 * back once: between our look and our write, or right after it, its other author may have written, too.
 *
 * @param isWanted asked before each further request; when it denies, the room is left as it is
 * @throws what the client throws
 */
export async function claimRoom(task: OwnerTask, rooms: RoomAdmin, isWanted: () => boolean): Promise<ClaimResult> {
  for (let isReadBack = false; ; isReadBack = true) {
    const listed = await rooms.listRooms([task.roomName]);
    // A room of the same name with another sid is another call's.
    const room = listed.find(({ sid }) => sid === task.roomSid);
    if (room === undefined) return { kind: "gone" };
    const ownership = readOwnership(room.metadata, task.authId);
    if (ownership.kind === "already owned" && isReadBack) return { kind: "owned" };
    if (ownership.kind !== "write") return ownership;
    if (!isWanted()) return { kind: "abandoned" };
    await rooms.updateRoomMetadata(task.roomName, ownership.metadata);
    if (!ownership.merged || isReadBack) return { kind: "owned" };
    if (!isWanted()) return { kind: "abandoned" };
  }
}
