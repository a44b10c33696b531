import { t, type Static } from "elysia";
import { AttemptView } from "../../history/delivery-schemas";
import { BreakerView } from "../../hooks-store/hook-schemas";

export const TestHookRequest = t.Object(
  {
    host: t.String({ minLength: 1, maxLength: 1024, description: "The host of the hook, as the table has it." }),
  },
  { additionalProperties: false, examples: [{ host: "tenant-a.example.com" }] },
);

export const OUTCOMES = ["delivered", "refused_event", "gone", "endpoint_failed"] as const;

const Tls = t.Object({
  protocol: t.String({ examples: ["TLSv1.3"] }),
  names: t.Optional(t.String({ description: "The hosts that its certificate is for." })),
  issuer: t.Optional(t.String()),
  valid_from: t.Optional(t.String({ format: "date-time" })),
  valid_to: t.Optional(t.String({ format: "date-time" })),
  days_left: t.Optional(t.Integer({ description: "Whole days until `valid_to`; negative when it is over." })),
});

export const HookTestView = t.Object({
  ok: t.Boolean({ description: "A delivery would arrive now: `delivered`, and the hook is not paused." }),
  outcome: t.String({
    enum: [...OUTCOMES],
    description:
      "What such an answer would make of a delivery. `delivered`: 2xx. `refused_event`: 400, 413, 415 or 422, given up after " +
      "3 attempts. `gone`: 410, pauses the hook. `endpoint_failed`: everything else, tried again.",
  }),
  host: t.String(),
  url: t.String(),
  auth_id: t.Optional(t.String()),
  state: t.UnionEnum(["active", "paused"]),
  breaker: t.Optional(BreakerView),
  webhook_id: t.String({ description: "The `webhook-id` that the receiver got." }),
  event: t.String({ description: "The LiveKit event that the example is." }),
  signatures: t.Array(t.String(), { description: "The headers that it was signed by." }),
  address: t.Object({
    allowed: t.Boolean({
      description: "False when a hook added at run time leads to a private address: nothing was sent.",
    }),
    used: t.Optional(t.String({ description: "The address that was connected to. To operators only." })),
  }),
  tls: t.Optional(Tls),
  attempt: AttemptView,
});

export const HookTestAnswer = t.Object(
  { test: HookTestView },
  {
    examples: [
      {
        test: {
          ok: true,
          outcome: "delivered",
          host: "tenant-a.example.com",
          url: "https://hooks.tenant-a.example/livekit",
          auth_id: "tenant-a",
          state: "active",
          webhook_id: "EV_test_0d9f5a3e-7f0e-4f0b-9d53-0d6e3c1c9f7a",
          event: "room_finished",
          signatures: ["webhook-signature", "X-Sayna-Signature"],
          address: { allowed: true, used: "198.51.100.7" },
          tls: {
            protocol: "TLSv1.3",
            names: "hooks.tenant-a.example",
            issuer: "Example CA",
            valid_from: "2026-10-01T00:00:00.000Z",
            valid_to: "2026-12-30T00:00:00.000Z",
            days_left: 38,
          },
          attempt: { n: 1, at: "2026-11-21T22:50:01.060Z", duration_ms: 83, status: 200 },
        },
      },
    ],
  },
);

export type HookTestView = Static<typeof HookTestView>;
export type HookTestAnswer = Static<typeof HookTestAnswer>;
