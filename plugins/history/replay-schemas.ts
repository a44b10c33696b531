import { t, type Static } from "elysia";
import { Type } from "@sinclair/typebox";
import { INSTANT_PATTERN } from "../../src/domain/instant";
import { Next } from "./query-schemas";

const Instant = (description: string) =>
  t.Optional(t.String({ maxLength: 40, pattern: INSTANT_PATTERN, description, examples: ["2026-11-21T22:50:00Z"] }));
const Text = (description: string, example: string) =>
  t.String({ minLength: 1, maxLength: 1024, description, examples: [example] });

// Not t.Integer: it takes a text for a number.
const Id = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, examples: [4711] });

export const HookHost = Text("The hook's host, as it is in the table.", "tenant-a.example.com");
export const CallSid = Text("The room's sid.", "RM_3TCyT7wmZNFk");
export const Ids = t.Array(Id, { minItems: 1, maxItems: 500, uniqueItems: true });

const span = {
  since: Instant("From this time on: when the delivery was made, or the unmatched event came in."),
  until: Instant("Before this time."),
};

export const ReplayRequest = t.Object(
  {
    delivery: t.Optional(Id),
    call: t.Optional(CallSid),
    hook: t.Optional(HookHost),
    ...span,
    states: t.Optional(
      t.Array(t.Union([t.Literal("dead"), t.Literal("expired"), t.Literal("cancelled"), t.Literal("delivered")]), {
        minItems: 1,
        maxItems: 4,
        description: "What is sent again; without it what ended without arriving: dead, expired, cancelled.",
      }),
    ),
    unmatched: t.Optional(
      t.Object(
        {
          ...span,
          room: t.Optional(Text("The room's name.", "sip-_+15550100_mBGLkC9yAdGT")),
          host: t.Optional(
            Text(
              "A hook's host, as it is in the table: only calls that get this hook, the others stay as they are.",
              "new.tenant-a.example.com",
            ),
          ),
        },
        {
          additionalProperties: false,
          description: "Calls that found no hook: the matchers are asked again, with the hooks of now.",
        },
      ),
    ),
    dry_run: t.Optional(Type.Boolean({ description: "Only says what would be queued." })),
    cursor: t.Optional(t.String({ minLength: 1, maxLength: 200, description: "`next` of the answer before." })),
  },
  {
    additionalProperties: false,
    examples: [
      { delivery: 4711 },
      { call: "RM_3TCyT7wmZNFk" },
      { hook: "tenant-a.example.com", since: "2026-11-21T22:00:00Z", until: "2026-11-21T23:00:00Z", dry_run: true },
      { unmatched: {} },
      { unmatched: { host: "new.tenant-a.example.com", since: "2026-11-21T22:00:00Z" }, dry_run: true },
    ],
  },
);

export const ReplayAnswer = t.Object(
  {
    queued: t.Integer({ description: "Deliveries." }),
    pending: t.Integer({ description: "Left alone, because they are pending already." }),
    unwanted: t.Integer({
      description: "Left alone, because their hook is gone or does not want such events any more.",
    }),
    dry_run: t.Boolean(),
    next: Next,
  },
  { examples: [{ queued: 12, pending: 0, unwanted: 0, dry_run: false }] },
);

export const CancelRequest = t.Object(
  { ids: t.Optional(Ids), hook: t.Optional(HookHost), call: t.Optional(CallSid) },
  { additionalProperties: false, examples: [{ ids: [4711] }, { hook: "tenant-a.example.com" }] },
);

export const CancelAnswer = t.Object(
  { cancelled: t.Integer({ description: "Those that were pending." }) },
  { examples: [{ cancelled: 1 }] },
);

export type ReplayRequest = Static<typeof ReplayRequest>;
export type ReplayAnswer = Static<typeof ReplayAnswer>;
