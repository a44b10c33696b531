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

/** Of what goes along with a room only its presence is looked at (egress, agents). */
export const createRoom: Schema = {
  fields: [
    { name: "name", type: "string" },
    { name: "room_preset", type: "string" },
    { name: "empty_timeout", type: "uint32" },
    { name: "departure_timeout", type: "uint32" },
    { name: "max_participants", type: "uint32" },
    { name: "node_id", type: "string" },
    { name: "metadata", type: "string" },
    { name: "tags", type: "map" },
    { name: "egress", type: "any" },
    { name: "min_playout_delay", type: "uint32" },
    { name: "max_playout_delay", type: "uint32" },
    { name: "sync_streams", type: "bool" },
    { name: "replay_enabled", type: "bool" },
    { name: "agents", type: "any" },
  ],
};
export const deleteRoom: Schema = { fields: [{ name: "room", type: "string" }] };
export const nothing: Schema = { fields: [] };
