import type { Schema } from "./proto-json";

/**
 * The messages here and beside this file are those of livekit_sip.proto and livekit_models.proto that this project
 * meets, in the order of their declarations, as livekit-server 1.13.3 has them.
 */

export const ENCRYPTION = ["SIP_MEDIA_ENCRYPT_DISABLE", "SIP_MEDIA_ENCRYPT_ALLOW", "SIP_MEDIA_ENCRYPT_REQUIRE"];

export const media: Schema = {
  fields: [
    { name: "only_listed_codecs", type: "bool" },
    {
      name: "codecs",
      type: {
        list: {
          fields: [
            { name: "name", type: "string" },
            { name: "rate", type: "uint32" },
          ],
        },
      },
    },
    { name: "encryption", type: { enum: ENCRYPTION }, presence: true },
  ],
};

export const page: Schema = {
  fields: [
    { name: "after_id", type: "string" },
    { name: "limit", type: "uint32" },
  ],
};

export const listUpdate: Schema = {
  fields: [
    { name: "set", type: "strings" },
    { name: "add", type: "strings" },
    { name: "remove", type: "strings" },
    { name: "clear", type: "bool" },
  ],
};

export const listOf = (item: Schema): Schema => ({ fields: [{ name: "items", type: { list: item } }] });
