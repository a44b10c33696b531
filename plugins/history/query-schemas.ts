import { t } from "elysia";
import { INSTANT_PATTERN } from "../../src/domain/instant";

const Instant = (description: string) =>
  t.Optional(t.String({ maxLength: 40, pattern: INSTANT_PATTERN, description, examples: ["2026-11-21T22:50:00Z"] }));

const Text = (description: string, example: string) =>
  t.Optional(t.String({ minLength: 1, maxLength: 1024, description, examples: [example] }));

/** What every list takes. */
export const PageQuery = {
  limit: t.Optional(
    t.Integer({ minimum: 1, maximum: 500, description: "Entries at most; 50 without it.", examples: [50] }),
  ),
  cursor: t.Optional(
    t.String({ minLength: 1, maxLength: 200, description: "`next` of the page before, with the same filters." }),
  ),
  // The token may come in the query.
  api_key: t.Optional(t.String({ description: "The token, when there is no Authorization header." })),
};

export const SpanQuery = {
  since: Instant("From this time on (RFC 3339)."),
  until: Instant("Before this time (RFC 3339)."),
};

export const Query = {
  hook: Text("The hook's host as it is in the table; also of a hook that is gone.", "tenant-a.example.com"),
  authId: Text("The tenant; a tenant has no use for it.", "tenant-a"),
  room: Text("The room's name.", "sip-_+15550100_mBGLkC9yAdGT"),
  call: Text("The room's sid.", "RM_3TCyT7wmZNFk"),
  event: Text("LiveKit's event name.", "participant_joined"),
  host: Text("The called host.", "tenant-a.example.com"),
  sipCallId: Text("The SIP Call-ID.", "1-11903@10.20.0.1"),
  caller: Text("The caller's number; its `+` is `%2B` in a query.", "+15550100"),
  callee: Text("The called number; its `+` is `%2B` in a query.", "+15557654321"),
};

/** `next` of every list. */
export const Next = t.Optional(
  t.String({
    description:
      "The cursor of the next page; absent on the last one. A page may have fewer entries than asked for, or none, and " +
      "still have it: a search goes a part of the way at a time.",
  }),
);
