import type { Clock } from "../../../src/contracts/clock";
import { SecretUnavailable, type ReadSecret } from "../../../src/contracts/read-secret";
import type { Sender, SendResult } from "../../../src/contracts/sender";
import type { AttemptRecord, PendingDelivery } from "../../../src/contracts/storage";
import type { AttemptTrace, Tracing } from "../../../src/contracts/tracing";
import type { Hook } from "../../../src/domain/hook";
import type { DeliveryPolicy } from "../../../src/domain/delivery-policy";
import { redact } from "../../../src/domain/redact";
import { judgeAttempt, parseRetryAfter, type Verdict } from "../../../src/domain/retry-policy";
import { deliveryHeaders } from "./delivery-headers";
import { readCredentials, type ReadyCredentials } from "./read-credentials";
import { createSecretReader } from "./read-secret";
import { readSigners, type SigningOptions } from "./read-signers";
import { refuseRevoked, type FindRevoked } from "./revoked-secrets";

export type AttemptOptions = SigningOptions & {
  readonly sender: Sender;
  readonly clock: Clock;
  readonly policy: Pick<DeliveryPolicy, "deadline">;
  /** Without it, one for the whole process. */
  readonly readSecret?: ReadSecret;
  /** Without it every reference that a hook names is read. */
  readonly findRevoked?: FindRevoked;
  readonly tracing?: Tracing | undefined;
};

/** `retryAfter`: what the answer asked for, in ms. */
export type Attempted = {
  readonly verdict: Verdict;
  readonly at: number;
  readonly attempt: AttemptRecord;
  readonly retryAfter: number | undefined;
};

const readByDefault = createSecretReader();

/** Makes one attempt. */
export async function attemptDelivery(
  delivery: PendingDelivery,
  hook: Hook,
  options: AttemptOptions,
): Promise<Attempted> {
  const { sender, clock, policy } = options;
  const startedAt = clock.now();
  const trace = options.tracing?.attempt({
    eventId: delivery.eventId,
    eventName: delivery.eventName,
    roomSid: delivery.roomSid,
    hook: hook.id,
    url: hook.url,
    attempt: delivery.attempts + 1,
  });
  const prepared = await prepare(delivery, hook, { ...options, trace }, startedAt);
  const result = prepared.kind === "failed" ? prepared : await send(prepared);
  const at = clock.now();
  const status = result.kind === "answered" ? result.status : undefined;
  const verdict = judgeAttempt(status);
  trace?.end({ verdict, status, error: result.kind === "failed" ? result.code : undefined });
  const retryAfter = result.kind === "answered" ? parseRetryAfter(result.retryAfter, at) : undefined;
  return { verdict, at, attempt: toRecord(result, startedAt), retryAfter };

  async function send({ headers, clientCertificate, sent }: Prepared): Promise<SendResult> {
    const answer = await sender.send({
      url: hook.url,
      headers,
      body: delivery.body,
      deadlineMs: policy.deadline,
      guarded: hook.source === "runtime",
      ...(clientCertificate === undefined ? {} : { clientCertificate }),
    });
    return answer.kind === "answered" ? { ...answer, answerStart: redact(answer.answerStart, sent) } : answer;
  }
}

/** What is sent beside the body, and which secrets are in it. */
type Prepared = ReadyCredentials & { readonly kind: "prepared" };
type NotPrepared = Extract<SendResult, { kind: "failed" }>;

/** A secret that is not there fails the attempt like an endpoint that is not there: it may come back. */
async function prepare(
  delivery: PendingDelivery,
  hook: Hook,
  options: AttemptOptions & { readonly trace: AttemptTrace | undefined },
  now: number,
): Promise<Prepared | NotPrepared> {
  const { readSecret = readByDefault, findRevoked } = options;
  try {
    if (findRevoked !== undefined) refuseRevoked(hook, findRevoked, now);
    const signers = await readSigners(hook, options, readSecret, now);
    const credentials = await readCredentials(hook.credentials ?? {}, readSecret);
    // Ours come last: no credential replaces them.
    const headers = {
      ...credentials.headers,
      ...deliveryHeaders(delivery, signers, now),
      ...traceHeaders(options.trace),
    };
    return { ...credentials, kind: "prepared", headers };
  } catch (error) {
    // Any other error's message might quote what it was about.
    const message = error instanceof SecretUnavailable ? error.message : "the delivery could not be signed";
    return { kind: "failed", step: "request", code: "SECRET_UNAVAILABLE", message, durationMs: 0 };
  }
}

const traceHeaders = (trace: AttemptTrace | undefined): Readonly<Record<string, string>> =>
  trace === undefined ? {} : { traceparent: trace.traceparent };

function toRecord(result: SendResult, startedAt: number): AttemptRecord {
  const answered = result.kind === "answered";
  return {
    startedAt,
    durationMs: result.durationMs,
    status: answered ? result.status : undefined,
    error: answered ? undefined : `${result.step}: ${result.code}: ${result.message}`,
    answerStart: answered ? result.answerStart : undefined,
  };
}
