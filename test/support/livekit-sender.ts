import { livekitToken, type TokenOptions } from "./livekit-token";

export type SentWebhook = { readonly status: number; readonly retryAfter: string | null; readonly body: string };

/** Sends one webhook as LiveKit does: freshly signed, the token without `Bearer`. */
export async function sendWebhook(
  url: string,
  body: string | Uint8Array,
  options: TokenOptions = {},
): Promise<SentWebhook> {
  const response = await fetch(`${url}/livekit/webhook`, {
    method: "POST",
    headers: { authorization: livekitToken(body, options), "content-type": "application/webhook+json" },
    body,
  });
  return { status: response.status, retryAfter: response.headers.get("retry-after"), body: await response.text() };
}

export type Delivery = { readonly attempts: number; readonly delivered: boolean };

/**
 * Sends one webhook with LiveKit's retries: five attempts in all, after 1, 2, 4, 8 s, or what a Retry-After of a 429 or
 * 503 says; the same token, bytes and id each time. Every other status below 500, and 501, ends it.
 */
export async function sendLikeLiveKit(
  url: () => string,
  body: string,
  waits = [1000, 2000, 4000, 8000],
  sleep: (ms: number) => Promise<void> = Bun.sleep,
): Promise<Delivery> {
  const token = livekitToken(body);
  for (let attempt = 1; ; attempt++) {
    const answer = await post(url(), token, body);
    if (answer !== undefined && (answer.status < 500 || answer.status === 501) && answer.status !== 429) {
      return { attempts: attempt, delivered: answer.status === 200 };
    }
    const wait = waits[attempt - 1];
    if (wait === undefined) return { attempts: attempt, delivered: false };
    await sleep(answer?.retryAfter === undefined ? wait : answer.retryAfter * 1000);
  }
}

async function post(url: string, token: string, body: string) {
  try {
    const headers = { authorization: token, "content-type": "application/webhook+json" };
    const response = await fetch(`${url}/livekit/webhook`, { method: "POST", headers, body });
    await response.arrayBuffer();
    const retryAfter = response.headers.get("retry-after");
    return { status: response.status, retryAfter: retryAfter === null ? undefined : Number(retryAfter) };
  } catch {
    return undefined;
  }
}
