import type { PendingDelivery } from "../../../src/contracts/storage";
import { isStandardWebhooksSecret, saynaSignature, standardWebhooksSignature } from "../../../src/domain/signatures";
import packageJson from "../../../package.json" with { type: "json" };

export const USER_AGENT = `sayna-sip/${packageJson.version}`;

/**
 * The headers of one attempt (delivery rule 7). LiveKit's own Authorization is never among them.
 *
 * @param secret signs with Standard Webhooks' and Sayna's headers when it is a `whsec_…`, else with Sayna's alone; without
 *   one nothing is signed.
 * @param now the attempt's time, ms since the epoch.
 */
export function deliveryHeaders(
  { eventId, contentType, body }: Pick<PendingDelivery, "eventId" | "contentType" | "body">,
  secret: string | undefined,
  now: number,
): Record<string, string> {
  const timestamp = Math.floor(now / 1000);
  const headers: Record<string, string> = {
    "content-type": contentType,
    "user-agent": USER_AGENT,
    "webhook-id": eventId,
    "webhook-timestamp": String(timestamp),
  };
  if (secret === undefined) return headers;
  if (isStandardWebhooksSecret(secret)) {
    headers["webhook-signature"] = standardWebhooksSignature(secret, eventId, timestamp, body);
  }
  headers["X-Sayna-Event-Id"] = eventId;
  headers["X-Sayna-Timestamp"] = String(timestamp);
  headers["X-Sayna-Signature"] = saynaSignature(secret, eventId, timestamp, body);
  headers["X-Sayna-Signature-Version"] = "v1";
  return headers;
}
