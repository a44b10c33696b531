import { createHash } from "node:crypto";
import { AccessToken } from "livekit-server-sdk";
import { pause } from "./pause";
import type { RecordedCall, RecordedEvent } from "./recorded-calls";

/** LiveKit's part in the demo: a key of its own, and where it sends its webhooks. */
export type LiveKit = { readonly url: string; readonly apiKey: string; readonly apiSecret: string };

/** How a webhook was answered. */
export type Answered = {
  readonly call: RecordedCall;
  readonly event: RecordedEvent;
  /** Undefined when no answer came. */
  readonly status: number | undefined;
  /** From the request to the whole answer, in milliseconds. */
  readonly ms: number;
};

/**
 * Sends a call's webhooks as LiveKit does: freshly signed, the next one when the last one has been answered.
 *
 * @throws the signal's reason when it is aborted.
 */
export async function playCall(call: RecordedCall, { livekit, paceMs, signal, onAnswer }: PlayOptions): Promise<void> {
  for (const event of call.events) {
    await pause(paceMs, signal);
    const token = await tokenFor(event.body, livekit);
    const sentAt = performance.now();
    const status = await post(event.body, token, livekit.url, signal);
    onAnswer({ call, event, status, ms: performance.now() - sentAt });
  }
}

async function post(body: string, token: string, url: string, signal: AbortSignal): Promise<number | undefined> {
  const headers = { authorization: token, "content-type": "application/webhook+json" };
  try {
    // The server is on this machine: a proxy that the environment names is not asked for it.
    const options = { method: "POST", headers, body, signal, proxy: false } as const;
    const response = await fetch(`${url}/livekit/webhook`, options);
    await response.arrayBuffer();
    return response.status;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

export type PlayOptions = {
  readonly livekit: LiveKit;
  /** Before each of them, so that a reader can follow. */
  readonly paceMs: number;
  readonly signal: AbortSignal;
  readonly onAnswer: (answered: Answered) => void;
};

/** The Authorization header of a webhook: a token with the hash of its body, without `Bearer`. */
async function tokenFor(body: string, { apiKey, apiSecret }: LiveKit): Promise<string> {
  const token = new AccessToken(apiKey, apiSecret, { ttl: "5m" });
  token.sha256 = createHash("sha256").update(body).digest("base64");
  return token.toJwt();
}
