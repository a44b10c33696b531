import type { PendingDelivery } from "../../../src/contracts/storage";
import { isStandardWebhooksSecret, saynaSignature, standardWebhooksSignature } from "../../../src/domain/signatures";
import packageJson from "../../../package.json" with { type: "json" };
import type { Signers } from "./read-signers";

export const USER_AGENT = `sayna-sip/${packageJson.version}`;

/** What of a delivery is in its headers. */
export type HeaderFields = Pick<PendingDelivery, "eventId" | "contentType" | "body" | "replay">;

/**
 * The headers of one attempt (delivery rule 7). LiveKit's own Authorization is never among them.
 *
 * - `webhook-signature`, when a secret is a `whsec_…` or there is a signing key: `v1,…` of each such secret, then `v1a,…` of
 *   each key, the newest first. Receivers take the first one that fits and skip what they do not know.
 * - `X-Sayna-Signature`, when there is any secret: of the newest secret alone. It is compared as a whole, so that a second
 *   value would be refused by all who verify it today; its receivers accept both secrets while one replaces the other.
 * - `X-Sayna-Replay: true` for what was delivered or given up before and was asked for again: with the `webhook-id` that it
 *   had, and perhaps later than the events that came after it.
 *
 * @param now the attempt's time, ms since the epoch.
 */
export function deliveryHeaders(
  { eventId, contentType, body, replay }: HeaderFields,
  { secrets, keys }: Signers,
  now: number,
): Record<string, string> {
  const timestamp = Math.floor(now / 1000);
  const headers: Record<string, string> = {
    "content-type": contentType,
    "user-agent": USER_AGENT,
    "webhook-id": eventId,
    "webhook-timestamp": String(timestamp),
  };
  if (replay) headers["X-Sayna-Replay"] = "true";
  const signatures = [
    ...secrets
      .filter(isStandardWebhooksSecret)
      .map((secret) => standardWebhooksSignature(secret, eventId, timestamp, body)),
    ...keys.map((key) => key.sign(eventId, timestamp, body)),
  ];
  if (signatures.length > 0) headers["webhook-signature"] = signatures.join(" ");
  const [newest] = secrets;
  if (newest === undefined) return headers;
  headers["X-Sayna-Event-Id"] = eventId;
  headers["X-Sayna-Timestamp"] = String(timestamp);
  headers["X-Sayna-Signature"] = saynaSignature(newest, eventId, timestamp, body);
  headers["X-Sayna-Signature-Version"] = "v1";
  return headers;
}
