import type { HookId } from "../domain/ids";
import type { Verdict } from "../domain/retry-policy";

/** One webhook for SIP, when its answer is known. Times in ms; `receivedAt` since the epoch, the others from there. */
export type ReceivedWebhook = {
  readonly eventId: string;
  readonly eventName: string;
  readonly roomSid: string | undefined;
  readonly result: "kept" | "duplicate" | "refused";
  readonly receivedAt: number;
  readonly answeredAfter: number;
  /** Undefined when it came to no commit. */
  readonly commitBegunAfter: number | undefined;
  /** The `traceparent` that the webhook carried (W3C Trace Context). */
  readonly traceparent: string | undefined;
};

export type AttemptBegun = {
  readonly eventId: string;
  readonly eventName: string;
  readonly roomSid: string | undefined;
  readonly hook: HookId;
  readonly url: string;
  /** From 1. */
  readonly attempt: number;
};

export type AttemptEnded = {
  readonly verdict: Verdict;
  readonly status: number | undefined;
  /** What kept it from being answered, in one word. */
  readonly error: string | undefined;
};

export type AttemptTrace = {
  /** For the tenant: the attempt as the parent of whatever it does. */
  readonly traceparent: string;
  end(ended: AttemptEnded): void;
};

/** Where traces go; parts that are handed none do nothing for it. */
export interface Tracing {
  received(webhook: ReceivedWebhook): void;
  attempt(begun: AttemptBegun): AttemptTrace;
}
