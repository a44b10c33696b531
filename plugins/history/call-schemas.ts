import { t, type Static } from "elysia";
import { DeliveryDetail, HookRef, State } from "./delivery-schemas";
import { Next } from "./query-schemas";

const Time = (description: string) => t.String({ format: "date-time", description });

const ParticipantView = t.Object({
  sid: t.String(),
  sip: t.Boolean({ description: "Of kind SIP." }),
  identity: t.Optional(t.String()),
  host: t.Optional(t.String({ description: "The called host, as it was read from the SIP headers." })),
  hook: t.Optional(HookRef),
  matcher: t.Optional(t.String({ description: "The matcher that chose the hook." })),
  why: t.String({ description: "In words, why its events go where they go." }),
  call_id: t.Optional(t.String({ description: "LiveKit's id of the SIP call." })),
  sip_call_id: t.Optional(t.String({ description: "The SIP Call-ID." })),
  caller: t.Optional(t.String()),
  callee: t.Optional(t.String()),
});

const call = {
  room_sid: t.String(),
  room: t.String(),
  state: t.String({ enum: ["active", "finished"], description: "`finished` after `room_finished`." }),
  began_at: Time("When its first event came in; to a tenant whose hook came into the call later, when it did."),
  finished_at: t.Optional(Time("When `room_finished` came in.")),
  hooks: t.Array(HookRef),
  participants: t.Array(ParticipantView),
};

const TimelineEvent = t.Object({
  webhook_id: t.String({ description: "LiveKit's event id." }),
  event: t.String(),
  participant: t.Optional(t.String({ description: "The sid of whom it is about." })),
  created_at: t.Optional(Time("LiveKit's time, in whole seconds.")),
  received_at: Time("When it came in."),
  kept_at: t.Optional(Time("When its commit began; with the end of it LiveKit was answered 200.")),
  state: t.String({
    enum: ["routed", "held", "unmatched"],
    description: "`held`: its call has no hook yet. `unmatched`: and that has been so for 30 s, or to the room's end.",
  }),
  deliveries: t.Array(DeliveryDetail),
});

const Gap = t.Object({
  delivery: t.Integer(),
  webhook_id: t.String(),
  event: t.String(),
  hook: HookRef,
  state: State,
  reason: t.Optional(t.String()),
  replayed_by: t.Optional(t.Object({ id: t.Integer(), state: State })),
});

export const CallView = t.Object(call);
export const CallDetail = t.Object({
  ...call,
  events: t.Array(TimelineEvent, { description: "In the order in which they were kept." }),
  gaps: t.Array(Gap, { description: "Of these events, the deliveries that ended without arriving." }),
});

const example: Static<typeof CallView> = {
  room_sid: "RM_3TCyT7wmZNFk",
  room: "sip-_+15550100_mBGLkC9yAdGT",
  state: "finished",
  began_at: "2026-11-21T22:50:01.052Z",
  finished_at: "2026-11-21T22:50:31.400Z",
  hooks: [{ host: "tenant-a.example.com", auth_id: "tenant-a" }],
  participants: [
    {
      sid: "PA_ebGPCfguXNJb",
      sip: true,
      identity: "sip_+15550100",
      host: "tenant-a.example.com",
      hook: { host: "tenant-a.example.com", auth_id: "tenant-a" },
      matcher: "exact-host",
      why: "The matcher exact-host chose the hook of tenant-a.example.com for the called host tenant-a.example.com.",
      call_id: "SCL_mZ3xDBsoXuQK",
      sip_call_id: "1-11903@10.20.0.1",
      caller: "+15550100",
      callee: "+15557654321",
    },
  ],
};

export const CallList = t.Object({ calls: t.Array(CallView), next: Next }, { examples: [{ calls: [example] }] });

export const OneCall = t.Object(
  { call: CallDetail, next: Next },
  {
    examples: [
      {
        call: {
          ...example,
          events: [
            {
              webhook_id: "EV_JNerpiyspJQc",
              event: "room_started",
              created_at: "2026-11-21T22:50:01.000Z",
              received_at: "2026-11-21T22:50:01.052Z",
              kept_at: "2026-11-21T22:50:01.053Z",
              state: "routed",
              deliveries: [],
            },
          ],
          gaps: [],
        },
      },
    ],
  },
);

export type CallView = Static<typeof CallView>;
export type CallDetail = Static<typeof CallDetail>;
