import { deliveryHeaders } from "../../plugins/webhook-forwarder/dispatcher/delivery-headers";
import type { Signers } from "../../plugins/webhook-forwarder/dispatcher/read-signers";
import { eventId } from "../../src/domain/ids";
import { parseSigningKey, type SigningKey } from "../../src/domain/signatures";

/** What a service signs with whose receivers are tested: a secret, and a key as its configuration has it. */
export const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
export const KEY_TEXT = `whsk_${Buffer.alloc(32, 9).toString("base64")}`;
export const KEY = signingKeyOf(KEY_TEXT);
export const OURS: Signers = { secrets: [SECRET], keys: [KEY] };
/** Somebody else, whom the receivers do not know. */
export const THEIRS: Signers = {
  secrets: ["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"],
  keys: [signingKeyOf(`whsk_${Buffer.alloc(32, 8).toString("base64")}`)],
};

export type Signing = { readonly signers: Signers; readonly secondsAgo: number; readonly replay?: boolean };

/** The headers of a delivery of this event as these signers would have made them so long ago. */
export function signedHeaders(
  event: { readonly id: string; readonly body: Buffer },
  { signers, secondsAgo, replay = false }: Signing,
): Readonly<Record<string, string>> {
  return deliveryHeaders(
    { eventId: eventId(event.id), contentType: "application/webhook+json", body: event.body, replay },
    signers,
    Date.now() - secondsAgo * 1000,
  );
}

function signingKeyOf(text: string): SigningKey {
  const key = parseSigningKey(text);
  if (key === undefined) throw new Error("that is no signing key");
  return key;
}
