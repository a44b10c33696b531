import answeredCall from "./recordings/answered-call.jsonl" with { type: "text" };
import cancelledCall15550101 from "./recordings/cancelled-call-15550101.jsonl" with { type: "text" };
import cancelledCall15550102 from "./recordings/cancelled-call-15550102.jsonl" with { type: "text" };
import cancelledCall15550113 from "./recordings/cancelled-call-15550113.jsonl" with { type: "text" };

export const TENANTS = ["tenant-a", "tenant-b"] as const;
export type TenantName = (typeof TENANTS)[number];

/** One webhook of LiveKit's. */
export type RecordedEvent = {
  readonly id: string;
  readonly name: string;
  /** True when it tells which host was called: the others follow it by the room they are about. */
  readonly tellsHost: boolean;
  /** Exactly as it was sent. */
  readonly body: string;
};

/** A call's webhooks, in the order in which LiveKit sent them. */
export type RecordedCall = {
  readonly caller: string;
  /** The host as the caller wrote it. */
  readonly called: string;
  /** Whose host that is: written down here, not found by the code that is on show. */
  readonly tenant: TenantName;
  readonly story: string;
  readonly events: readonly RecordedEvent[];
};

/** Real SIP calls (livekit-server 1.13.3, livekit-sip 1.10.0). A recording holds the bodies of a call's webhooks, one a line. */
export const RECORDED_CALLS = {
  answered: {
    caller: "+15550100",
    called: "tenant-a.example.com",
    tenant: "tenant-a",
    story: "an agent answers, the caller hangs up",
    events: eventsOf(answeredCall),
  },
  cancelled: {
    caller: "+15550101",
    called: "Tenant-B.Example.COM",
    tenant: "tenant-b",
    story: "given up while it rings",
    events: eventsOf(cancelledCall15550101),
  },
  duringOutage: {
    caller: "+15550102",
    called: "tenant-a.example.com",
    tenant: "tenant-a",
    story: "nobody there to be told",
    events: eventsOf(cancelledCall15550102),
  },
  besideOutage: {
    caller: "+15550113",
    called: "tenant-b.example.com",
    tenant: "tenant-b",
    story: "must not notice any of it",
    events: eventsOf(cancelledCall15550113),
  },
} as const satisfies Record<string, RecordedCall>;

type WebhookBody = {
  readonly id: string;
  readonly event: string;
  readonly participant?: { readonly attributes?: Readonly<Record<string, string>> };
};

function eventsOf(recording: string): readonly RecordedEvent[] {
  return recording
    .trimEnd()
    .split("\n")
    .map((body) => {
      const { id, event, participant } = JSON.parse(body) as WebhookBody;
      return { id, name: event, tellsHost: participant?.attributes?.["sip.h.to"] !== undefined, body };
    });
}
