import { t, type Static } from "elysia";
import { DELIVERY_STATE_NAMES } from "../../src/contracts/history";
import { Next } from "./query-schemas";

const Time = (description: string) => t.String({ format: "date-time", description });

export const State = t.String({
  enum: [...DELIVERY_STATE_NAMES],
  description:
    "`pending`: waits, or is under way. `delivered`: answered 2xx. `dead`: attempts used up, or refused for good. `expired`: " +
    "too old. `cancelled`: by somebody, or because its hook was deleted.",
});

export const HookRef = t.Object({
  host: t.Optional(t.String()),
  auth_id: t.Optional(t.String()),
});

const delivery = {
  id: t.Integer(),
  state: State,
  webhook_id: t.String({
    description: "LiveKit's event id, sent as `webhook-id`: the same in each attempt and replay.",
  }),
  event: t.String({ description: "LiveKit's event name." }),
  room: t.String(),
  room_sid: t.String(),
  hook: HookRef,
  received_at: Time("When LiveKit's webhook came in."),
  queued_at: Time("When the delivery was made."),
  settled_at: t.Optional(Time("When it ended.")),
  reason: t.Optional(t.String({ description: "Why it ended without arriving." })),
  attempt_count: t.Integer(),
  replay: t.Boolean({ description: "Somebody asked for it again." }),
  next_try: t.Optional(
    Time("When it may go out; absent while its hook is paused, and while a probe of an open breaker is under way."),
  ),
  delayed_by: t.Optional(
    t.String({
      enum: ["pause", "breaker"],
      description:
        "What keeps it back beside its own time. `pause`: its hook is paused, until somebody resumes it. `breaker`: its hook's " +
        "breaker is open; `next_try` is then the next probe's, which may be another call's. GET /sip/hooks says more.",
    }),
  ),
  waits_for: t.Optional(t.Integer({ description: "The delivery of the same call that goes out before it." })),
  replayed_by: t.Optional(
    t.Object(
      { id: t.Integer(), state: State },
      { description: "The latest delivery of the same event to the same hook." },
    ),
  ),
};

export const AttemptView = t.Object({
  n: t.Integer(),
  at: Time("When it began."),
  duration_ms: t.Integer(),
  status: t.Optional(t.Integer({ description: "HTTP status; absent when there was no whole answer." })),
  error: t.Optional(
    t.Object({
      step: t.String({ description: "How far it came: dns, connect, tls, request, answer, deadline, address." }),
      code: t.String(),
      message: t.Optional(t.String({ description: "To operators only." })),
    }),
  ),
  answer_start: t.Optional(t.String({ description: "At most the first KiB of the answer, as text." })),
});

export const DeliveryView = t.Object(delivery);
export const DeliveryDetail = t.Object({ ...delivery, attempts: t.Array(AttemptView) });

const example: Static<typeof DeliveryView> = {
  id: 4711,
  state: "dead",
  webhook_id: "EV_f774qPjJiNk2",
  event: "participant_joined",
  room: "sip-_+15550100_mBGLkC9yAdGT",
  room_sid: "RM_3TCyT7wmZNFk",
  hook: { host: "tenant-a.example.com", auth_id: "tenant-a" },
  received_at: "2026-11-21T22:50:01.060Z",
  queued_at: "2026-11-21T22:50:01.060Z",
  settled_at: "2026-11-21T22:56:22.513Z",
  reason: "6 attempts failed",
  attempt_count: 6,
  replay: false,
};

const attempt: Static<typeof AttemptView> = {
  n: 6,
  at: "2026-11-21T22:56:22.401Z",
  duration_ms: 112,
  status: 503,
  answer_start: "upstream is down",
};

export const DeliveryList = t.Object(
  { deliveries: t.Array(DeliveryView), next: Next },
  { examples: [{ deliveries: [example], next: "MTc5NTMwMTQwMTA2MC40NzEx" }] },
);

export const OneDelivery = t.Object(
  { delivery: DeliveryDetail },
  { examples: [{ delivery: { ...example, attempts: [attempt] } }] },
);

export type DeliveryView = Static<typeof DeliveryView>;
export type DeliveryDetail = Static<typeof DeliveryDetail>;
export type AttemptView = Static<typeof AttemptView>;
