import type { Clock } from "../../../src/contracts/clock";
import type { Sender, SendResult } from "../../../src/contracts/sender";
import type { AttemptRecord, PendingDelivery, Settlement } from "../../../src/contracts/storage";
import type { Hook } from "../../../src/domain/hook";
import {
  judgeAttempt,
  nextStep,
  parseRetryAfter,
  type RetryPolicy,
  type Verdict,
} from "../../../src/domain/retry-policy";
import type { SecretSource } from "../../../src/domain/secret";
import { deliveryHeaders } from "./delivery-headers";
import { readSecret } from "./read-secret";

export type AttemptOptions = {
  readonly sender: Sender;
  readonly clock: Clock;
  /** From 0 to 1, for the jitter. */
  readonly random: () => number;
  readonly policy: RetryPolicy & { readonly deadline: number };
  /** The global `hook_secret`. */
  readonly hookSecret: SecretSource | undefined;
};

export type Attempted = { readonly settlement: Settlement; readonly verdict: Verdict };

/** Makes one attempt and decides what comes after it. */
export async function attemptDelivery(
  delivery: PendingDelivery,
  hook: Hook,
  { sender, clock, random, policy, hookSecret }: AttemptOptions,
): Promise<Attempted> {
  const startedAt = clock.now();
  const result = await send();
  const at = clock.now();
  const status = result.kind === "answered" ? result.status : undefined;
  const verdict = judgeAttempt(status);
  const retryAfter = result.kind === "answered" ? parseRetryAfter(result.retryAfter, at) : undefined;
  const next = nextStep(policy, verdict, delivery, retryAfter, random());
  const outcome = next.kind === "retry" ? { kind: next.kind, dueAt: at + next.delay, refusal: next.refusal } : next;
  return { verdict, settlement: { delivery, at, attempt: toRecord(result, startedAt), outcome } };

  async function send(): Promise<SendResult> {
    let secret: string | undefined;
    try {
      const source = hook.secret ?? hookSecret;
      secret = source === undefined ? undefined : await readSecret(source);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { kind: "failed", step: "request", code: "SECRET_UNAVAILABLE", message, durationMs: 0 };
    }
    return sender.send({
      url: hook.url,
      headers: deliveryHeaders(delivery, secret, startedAt),
      body: delivery.body,
      deadlineMs: policy.deadline,
      guarded: hook.source === "runtime",
    });
  }
}

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
