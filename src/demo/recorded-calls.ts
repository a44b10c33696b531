import answeredCall from "./recordings/answered-call.jsonl" with { type: "text" };
import cancelledCall15550101 from "./recordings/cancelled-call-15550101.jsonl" with { type: "text" };
import cancelledCall15550102 from "./recordings/cancelled-call-15550102.jsonl" with { type: "text" };
import cancelledCall15550113 from "./recordings/cancelled-call-15550113.jsonl" with { type: "text" };

export const TENANTS = ["tenant-a", "tenant-b"] as const;
export type TenantName = (typeof TENANTS)[number];

/** One webhook of LiveKit's; the body exactly as it was sent. */
export type RecordedEvent = { readonly id: string; readonly name: string; readonly body: string };

/** A call's webhooks, in the order in which LiveKit sent them. */
export type RecordedCall = {
  readonly caller: string;
  /** The host as the caller wrote it. */
  readonly called: string;
  /** Whose host that is, written down here and not found by the code that is shown. */
  readonly tenant: TenantName;
  readonly story: string;
  readonly events: readonly RecordedEvent[];
};

/** Real SIP calls: livekit-server 1.13.3, livekit-sip 1.10.0. The recordings hold the bodies of the webhooks, one a line. */
export const RECORDED_CALLS = {
  answered: {
    caller: "+15550100",
    called: "tenant-a.example.com",
    tenant: "tenant-a",
    story: "an agent answers, they talk, the caller hangs up",
    events: eventsOf(answeredCall),
  },
  cancelled: {
    caller: "+15550101",
    called: "Tenant-B.Example.COM",
    tenant: "tenant-b",
    story: "the caller gives up while it rings",
    events: eventsOf(cancelledCall15550101),
  },
  duringOutage: {
    caller: "+15550102",
    called: "tenant-a.example.com:5080",
    tenant: "tenant-a",
    story: "nobody at tenant-a can be told yet",
    events: eventsOf(cancelledCall15550102),
  },
  besideOutage: {
    caller: "+15550113",
    called: "tenant-b.example.com",
    tenant: "tenant-b",
    story: "tenant-b must not notice anything",
    events: eventsOf(cancelledCall15550113),
  },
} as const satisfies Record<string, RecordedCall>;

function eventsOf(lines: string): readonly RecordedEvent[] {
  return lines
    .trimEnd()
    .split("\n")
    .map((body) => {
      const { id, event } = JSON.parse(body) as { id: string; event: string };
      return { id, name: event, body };
    });
}
