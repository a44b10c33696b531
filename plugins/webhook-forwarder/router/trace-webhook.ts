import type { Clock } from "../../../src/contracts/clock";
import type { ReceivedWebhook, Tracing } from "../../../src/contracts/tracing";
import type { LiveKitEvent } from "../../../src/domain/livekit-event";

export type WebhookTrace = { commits(): void; end(result: ReceivedWebhook["result"]): void };

/** Follows one webhook from now on; undefined when nothing is traced, which costs nothing then. */
export function traceWebhook(
  tracing: Tracing | undefined,
  clock: Clock,
  event: LiveKitEvent,
  came: { readonly receivedAt: number; readonly traceparent: string | undefined },
): WebhookTrace | undefined {
  if (tracing === undefined) return undefined;
  const begun = clock.monotonic();
  let commitBegunAfter: number | undefined;
  return {
    commits() {
      commitBegunAfter = clock.monotonic() - begun;
    },
    end(result) {
      const { id: eventId, name: eventName, roomSid } = event;
      const answeredAfter = clock.monotonic() - begun;
      tracing.received({ ...came, eventId, eventName, roomSid, result, answeredAfter, commitBegunAfter });
    },
  };
}
