import { roomAdmin, roomCreate, roomList } from "./access-token";
import type { ApiMethod } from "./api-method";
import { invalid, strings, text } from "./list-update";
import * as messages from "./room-messages";
import { sorted } from "./state";
import { TwirpFailure } from "./twirp-failure";

/** LiveKit's default `limit.max_metadata_size`, in bytes. */
const MAX_METADATA = 64_000;

/** LiveKit's default `room.departure_timeout`, as the recorded rooms have it. */
const DEPARTURE_TIMEOUT_S = 20;
/** And `room.empty_timeout`. */
const EMPTY_TIMEOUT_S = 300;

export const roomMethods: Readonly<Record<string, ApiMethod>> = {
  // A room of that name that is there already is the answer. Nobody need join for `room_started` to be sent.
  "RoomService/CreateRoom": {
    takes: messages.createRoom,
    answers: messages.liveRoom,
    mayCall: roomCreate,
    async run(request, { state, newId, beforeWrite, tell, now }) {
      const name = text(request, "name");
      const there = state.rooms.get(name);
      if (there !== undefined) return there;
      await beforeWrite();
      const room = {
        sid: newId("RM_"),
        name,
        empty_timeout: request["empty_timeout"] ?? EMPTY_TIMEOUT_S,
        departure_timeout: request["departure_timeout"] ?? DEPARTURE_TIMEOUT_S,
        max_participants: request["max_participants"] ?? 0,
        creation_time: String(Math.floor(now() / 1000)),
        creation_time_ms: String(now()),
        metadata: text(request, "metadata"),
      };
      state.rooms.set(name, room);
      tell("room_started", room);
      return room;
    },
  },

  "RoomService/DeleteRoom": {
    takes: messages.deleteRoom,
    answers: messages.nothing,
    mayCall: roomCreate,
    async run(request, { state, beforeWrite, tell }) {
      const name = text(request, "room");
      const room = state.rooms.get(name);
      if (room === undefined) throw new TwirpFailure("not_found", "room not found");
      await beforeWrite();
      state.rooms.delete(name);
      tell("room_finished", room);
      return {};
    },
  },

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
