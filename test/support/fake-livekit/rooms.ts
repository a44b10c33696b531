import { roomAdmin, roomList } from "./access-token";
import type { ApiMethod } from "./api-method";
import { invalid, strings, text } from "./list-update";
import * as messages from "./room-messages";
import { sorted } from "./state";
import { TwirpFailure } from "./twirp-failure";

/** LiveKit's default `limit.max_metadata_size`, in bytes. */
const MAX_METADATA = 64_000;

export const roomMethods: Readonly<Record<string, ApiMethod>> = {
  "RoomService/ListRooms": {
    takes: messages.listRooms,
    answers: messages.roomList,
    mayCall: roomList,
    run(request, { state }) {
      const names = strings(request, "names");
      return { rooms: sorted(state.rooms).filter((room) => names.length === 0 || names.includes(text(room, "name"))) };
    },
  },

  "RoomService/UpdateRoomMetadata": {
    takes: messages.updateRoomMetadata,
    answers: messages.liveRoom,
    mayCall: (grants, request) => roomAdmin(grants, request["room"]),
    async run(request, { state, beforeWrite }) {
      const metadata = text(request, "metadata");
      if (Buffer.byteLength(metadata) > MAX_METADATA) throw invalid(`metadata size exceeds limits ${MAX_METADATA}`);
      const room = state.rooms.get(text(request, "room"));
      if (room === undefined) {
        throw new TwirpFailure("not_found", "twirp error unknown: requested room does not exist");
      }
      await beforeWrite();
      room["metadata"] = metadata;
      return room;
    },
  },
};
