import { t, type Static } from "elysia";
import { BreakerView } from "../hooks-store/hook-schemas";

export const ExplainRequest = t.Object(
  {
    to: t.Optional(
      t.String({
        maxLength: 65_536,
        description: "The value of a To header, as LiveKit has it in `sip.h.to`.",
        examples: ["<sip:+15557654321@tenant-a.example.com>;tag=SCL_mZ3xDBsoXuQK"],
      }),
    ),
    host: t.Optional(t.String({ maxLength: 1024, description: "A called host.", examples: ["tenant-a.example.com"] })),
    event: t.Optional(
      t.Union([t.String(), t.Object({}, { additionalProperties: true })], {
        description: "A whole webhook of LiveKit: the JSON object, or the raw body as a text.",
      }),
    ),
  },
  {
    additionalProperties: false,
    description: "One of them.",
    examples: [
      { to: "<sip:+15557654321@tenant-a.example.com>;tag=SCL_mZ3xDBsoXuQK" },
      { host: "tenant-a.example.com" },
      { event: { event: "room_started", room: { sid: "RM_3TCyT7wmZNFk", name: "sip-1" }, id: "EV_1" } },
    ],
  },
);

export const OUTCOMES = [
  "delivered",
  "unwanted",
  "cancelled",
  "held",
  "no_match",
  "undecided",
  "duplicate",
  "not_sip",
  "no_hooks",
] as const;

const Step = t.Object({
  step: t.String({ enum: ["room", "table", "participant", "header", "matcher", "memory", "hook"] }),
  message: t.String(),
});

const HookAnswer = t.Object({
  host: t.Optional(t.String()),
  auth_id: t.Optional(t.String()),
  state: t.String({ enum: ["active", "paused", "gone"] }),
  wants_event: t.Boolean({ description: "Its delivery policy wants events of this name." }),
  earlier_events: t.Integer({ description: "Earlier events of the call that would go to it before this one." }),
  breaker: t.Optional(BreakerView),
});

export const ExplainAnswer = t.Object(
  {
    outcome: t.String({
      enum: [...OUTCOMES],
      description:
        "`delivered`: it goes to these hooks. `unwanted`: no policy of them wants it. `cancelled`: their hook is gone. `held`: " +
        "kept until its call has a hook. `no_match`: no hook matches. `undecided`: a matcher failed, the next event with " +
        "attributes is asked about. `duplicate`: its id is known, it adds nothing. `not_sip`, `no_hooks`: answered 200, not kept.",
    }),
    hooks: t.Array(HookAnswer),
    steps: t.Array(Step, { description: "In words, what would happen one after the other." }),
  },
  {
    examples: [
      {
        outcome: "delivered",
        hooks: [
          {
            host: "tenant-a.example.com",
            auth_id: "tenant-a",
            state: "active",
            wants_event: true,
            earlier_events: 0,
          },
        ],
        steps: [
          { step: "header", message: "The header To says tenant-a.example.com." },
          { step: "matcher", message: "exact-host chooses the hook of tenant-a.example.com." },
          { step: "hook", message: "The hook of tenant-a.example.com is active; it wants participant_joined." },
        ],
      },
    ],
  },
);

export type ExplainRequest = Static<typeof ExplainRequest>;
export type ExplainAnswer = Static<typeof ExplainAnswer>;
export type Step = Static<typeof Step>;
export type HookAnswer = Static<typeof HookAnswer>;
