import type { Schema } from "./proto-json";

export const liveRoom: Schema = {
  fields: [
    { name: "sid", type: "string" },
    { name: "name", type: "string" },
    { name: "empty_timeout", type: "uint32" },
    { name: "departure_timeout", type: "uint32" },
    { name: "max_participants", type: "uint32" },
    { name: "creation_time", type: "int64" },
    { name: "creation_time_ms", type: "int64" },
    { name: "turn_password", type: "string" },
    { name: "enabled_codecs", type: "any" },
    { name: "metadata", type: "string" },
    { name: "num_participants", type: "uint32" },
    { name: "num_publishers", type: "uint32" },
    { name: "active_recording", type: "bool" },
    { name: "version", type: "any" },
  ],
};

export const roomList: Schema = { fields: [{ name: "rooms", type: { list: liveRoom } }] };

export const listRooms: Schema = { fields: [{ name: "names", type: "strings" }] };
export const updateRoomMetadata: Schema = {
  fields: [
    { name: "room", type: "string" },
    { name: "metadata", type: "string" },
  ],
};
