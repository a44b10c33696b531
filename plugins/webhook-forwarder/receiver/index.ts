import { Elysia, t } from "elysia";
import type { Logger } from "../../../src/contracts/logger";
import type { Clock } from "../../../src/contracts/clock";
import { countRefusal, newMeasures, type Measures } from "../../../src/contracts/measures";
import { AppError } from "../../../src/domain/errors";
import { isJsonObject, type JsonObject } from "../../../src/domain/json";
import type { Secret } from "../../../src/domain/secret";
import { errorResponses, readBody, requestIdOf } from "../../http-errors";
import type { Taken, Webhook } from "../router/event-intake";
import { createRefusalLog } from "./refusal-log";
import { createTokenVerifier, type TokenRefusal } from "./verify-token";

export type ReceiverOptions = {
  /** The keys that LiveKit may sign with; with none every webhook is answered 503. */
  readonly keys: readonly { readonly apiKey: string; readonly apiSecret: Secret }[];
  /** Keeps a verified webhook; absent when SIP is off, and then it is answered 200 and not kept. */
  readonly take: ((webhook: Webhook) => Promise<Taken>) | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether a webhook's `traceparent` is of interest. */
  readonly traced?: boolean;
  readonly measures?: Pick<Measures, "acknowledgement" | "refusals">;
};

/** LiveKit's webhooks have 0.5 to 70 KB: attributes are limited to 64 KiB. */
const MAX_WEBHOOK_BYTES = 1024 * 1024;
const RECEIVED = { status: "received" } as const;
const DEFAULT_CONTENT_TYPE = "application/webhook+json";
/** As it is sent on; what no header may hold is replaced by LiveKit's own type. */
const CONTENT_TYPE = /^[\x20-\x7e]{1,256}$/;
const utf8 = new TextDecoder();

/**
 * The route that LiveKit's webhooks come in by: token, body, hash, JSON, in this order, so that a stranger's body is never
 * read. Whatever a signed JSON object says is accepted, because LiveKit takes every 4xx for a success.
 */
export function receiver({ keys, take, clock, log, traced = false, measures = newMeasures() }: ReceiverOptions) {
  const verifier = createTokenVerifier({ keys, now: () => clock.now() });
  const logRefusal = createRefusalLog({ log, now: () => clock.now() });

  function refuse(refusal: TokenRefusal, request: Request): never {
    countRefusal(measures, refusal.reason);
    logRefusal(refusal, requestIdOf(request));
    throw new AppError("invalid_signature", { headers: { "www-authenticate": 'JWT realm="livekit-webhook"' } });
  }

  return new Elysia({ name: "sayna-sip/receiver", tags: ["livekit"] }).post(
    "/livekit/webhook",
    async ({ request }) => {
      if (keys.length === 0) throw new AppError("credentials_missing");
      const arrivedAt = clock.monotonic();
      const token = verifier.checkToken(request.headers.get("authorization"));
      if (token.kind === "refused") return refuse(token, request);
      const body = await readBody(request, MAX_WEBHOOK_BYTES);
      const verdict = verifier.checkBody(token, body);
      if (verdict.kind === "refused") return refuse(verdict, request);
      const json = parseObject(body);
      const taken = await take?.({
        json,
        body,
        contentType: contentTypeOf(request),
        requestId: () => requestIdOf(request),
        ...(traced ? { traceparent: request.headers.get("traceparent") ?? undefined } : {}),
      });
      if (taken === "kept" || taken === "duplicate") {
        measures.acknowledgement.add((clock.monotonic() - arrivedAt) / 1000);
      }
      return RECEIVED;
    },
    {
      // The raw bytes are what is signed, kept and sent on.
      parse: "none",
      response: {
        200: t.Object({ status: t.Literal("received") }, { examples: [RECEIVED] }),
        ...errorResponses([
          "invalid_json",
          "invalid_signature",
          "payload_too_large",
          "not_kept",
          "credentials_missing",
        ]),
      },
      detail: {
        summary: "Receive a LiveKit webhook",
        description:
          "For LiveKit's `webhook.urls`. Authenticated by LiveKit's token (`Authorization: <JWT>`, HS256, with the body's " +
          "SHA-256). 200 means that the event is on disk, or does not belong to SIP.",
        security: [],
        requestBody: {
          required: true,
          content: { [DEFAULT_CONTENT_TYPE]: { schema: { type: "object", additionalProperties: true } } },
        },
      },
    },
  );
}

function parseObject(body: Uint8Array): JsonObject {
  let json: unknown;
  try {
    json = JSON.parse(utf8.decode(body));
  } catch (cause) {
    throw new AppError("invalid_json", { cause });
  }
  if (!isJsonObject(json)) throw new AppError("invalid_json");
  return json;
}

function contentTypeOf(request: Request): string {
  const type = request.headers.get("content-type");
  return type !== null && CONTENT_TYPE.test(type) ? type : DEFAULT_CONTENT_TYPE;
}
