import type { Clock } from "../../src/contracts/clock";
import { isJsonObject, type JsonObject } from "../../src/domain/json";
import type { Secret } from "../../src/domain/secret";

/** Milliseconds that one request may take, as in LiveKit's SDK. */
export const REQUEST_TIMEOUT = 10_000;

export type TwirpClientOptions = {
  /** LiveKit's URL; `ws:` and `wss:` mean `http:` and `https:`. Its path is not used, as in LiveKit's SDK. */
  readonly url: string;
  readonly apiKey: string;
  readonly apiSecret: Secret;
  readonly clock: Clock;
};

export type TwirpAnswer =
  | { readonly kind: "ok"; readonly body: JsonObject }
  /** `code` is Twirp's and `message` LiveKit's; undefined when something else answered, or LiveKit in plain text. */
  | {
      readonly kind: "refused";
      readonly status: number;
      readonly code: string | undefined;
      readonly message: string | undefined;
      /** LiveKit judged the token by its clock and found it too old or too new. */
      readonly clockDiffers: boolean;
    }
  | { readonly kind: "unreachable"; readonly reason: string };

/** Calls one method of LiveKit's SIP service; never rejects. */
export type SipCall = (method: string, request: JsonObject, stop: AbortSignal) => Promise<TwirpAnswer>;

/**
 * Calls `livekit.SIP` in Twirp JSON. Not by the SDK's SipClient: that one knows only the fields of its own version, so
 * that a `replace` by it would erase what a newer LiveKit has stored.
 *
 * Proxy variables are not followed, and an answer is not decompressed (fetch would inflate it without a limit).
 *
 * @throws {TypeError} when the url is none.
 */
export function createSipClient(options: TwirpClientOptions): SipCall {
  const { apiKey, apiSecret, clock } = options;
  const base = new URL(options.url.replace(/^ws/i, "http"));

  return async (method, request, stop) => {
    const timeout = new AbortController();
    const cancel = clock.after(REQUEST_TIMEOUT, () => timeout.abort());
    try {
      const response = await fetch(new URL(`/twirp/livekit.SIP/${method}`, base), {
        method: "POST",
        headers: {
          authorization: `Bearer ${await adminToken(apiKey, apiSecret)}`,
          "content-type": "application/json",
          "accept-encoding": "identity",
        },
        body: JSON.stringify(request),
        redirect: "manual",
        signal: AbortSignal.any([timeout.signal, stop]),
        proxy: false,
        decompress: false,
      });
      return readAnswer(response.status, await response.text());
    } catch (error) {
      if (timeout.signal.aborted) {
        return { kind: "unreachable", reason: `no answer within ${REQUEST_TIMEOUT / 1000} s` };
      }
      return { kind: "unreachable", reason: failureCode(error) };
    } finally {
      cancel();
    }
  };
}

async function adminToken(apiKey: string, apiSecret: Secret): Promise<string> {
  // The SDK takes 60 to 100 ms to load: webhooks are taken before.
  const { AccessToken } = await import("livekit-server-sdk");
  const token = new AccessToken(apiKey, apiSecret.reveal(), { ttl: "10m" });
  token.addSIPGrant({ admin: true });
  return token.toJwt();
}

function readAnswer(status: number, text: string): TwirpAnswer {
  const body = parseJson(text);
  const succeeded = status >= 200 && status < 300;
  if (succeeded && body !== undefined) return { kind: "ok", body };
  const { code, msg } = body ?? {};
  return {
    kind: "refused",
    status,
    code: typeof code === "string" ? code : undefined,
    message: typeof msg === "string" ? presentable(msg) : undefined,
    clockDiffers: status === 401 && /expired|not valid yet/.test(text),
  };
}

/** Only LiveKit's JSON messages are ever shown; its plain texts repeat the token (up to version 1.13). */
const presentable = (message: string): string => message.replaceAll(/eyJ[\w-]+(\.[\w-]*)*/g, "[token]").slice(0, 400);

function parseJson(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** `ECONNREFUSED`, `ENOTFOUND`, `CERT_HAS_EXPIRED`, …: fetch's messages have the URL in them, and more. */
function failureCode(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return error instanceof Error ? error.name : "unknown error";
}
