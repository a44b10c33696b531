import type * as history from "../../src/contracts/history";
import type { Principal } from "../../src/domain/principal";
import type { AttemptView, DeliveryDetail, DeliveryView } from "./delivery-schemas";
import { showNextTry, type Obstacles } from "./next-try";
import { given, iso } from "./read-query";

export function showDelivery(delivery: history.DeliveryView, obstacles: Obstacles): DeliveryView {
  return {
    id: delivery.id,
    state: delivery.state,
    webhook_id: delivery.eventId,
    event: delivery.eventName,
    room: delivery.roomName,
    room_sid: delivery.roomSid,
    hook: showHook(delivery.hook),
    received_at: iso(delivery.receivedAt),
    queued_at: iso(delivery.madeAt),
    ...(delivery.settledAt === undefined ? {} : { settled_at: iso(delivery.settledAt) }),
    ...given("reason", delivery.reason),
    attempt_count: delivery.attempts,
    replay: delivery.replay,
    ...showNextTry(delivery, obstacles),
    ...given("waits_for", delivery.waitsFor),
    ...given("replayed_by", delivery.replayedBy),
  };
}

export function showDetail(delivery: history.DeliveryDetail, caller: Principal, obstacles: Obstacles): DeliveryDetail {
  return {
    ...showDelivery(delivery, obstacles),
    attempts: delivery.tries.map((attempt) => showAttempt(attempt, caller)),
  };
}

export function showHook({ host, authId }: history.HookName) {
  return { ...given("host", host), ...given("auth_id", authId) };
}

const lenient = new TextDecoder();

export function showAttempt(attempt: history.AttemptView, caller: Principal): AttemptView {
  return {
    n: attempt.n,
    at: iso(attempt.startedAt),
    duration_ms: attempt.durationMs,
    ...given("status", attempt.status),
    ...(attempt.error === undefined ? {} : { error: showError(attempt.error, caller) }),
    ...(attempt.answerStart === undefined ? {} : { answer_start: lenient.decode(attempt.answerStart) }),
  };
}

/** `step: CODE: message`, as the dispatcher writes it. */
const WRITTEN = /^([a-z]+): ([A-Z0-9_]+)(?:: (.*))?$/s;

/**
 * Step and code; the message to an operator alone: the sender's may name an address that the operator's network resolved. One
 * that has another form is not shown at all. Fails closed for the same reason.
 */
function showError(error: string, caller: Principal): NonNullable<AttemptView["error"]> {
  const [, step = "request", code = "UNKNOWN", message] = WRITTEN.exec(error) ?? [];
  if (caller.role !== "operator") return { step, code };
  return { step, code, ...given("message", WRITTEN.test(error) ? message : error) };
}
