import type { Logger } from "../../../src/contracts/logger";
import type { PendingDelivery, Settlement } from "../../../src/contracts/storage";
import type { Breaker } from "../../../src/domain/breaker";
import type { Hook } from "../../../src/domain/hook";

/**
 * One line for each attempt. Those of what arrived are most of the log: `warn` as its level leaves them out.
 *
 * @param quiet true while the breaker is open: its opening was told, and the failures after it are not news.
 */
export function reportDelivery(
  log: Logger,
  delivery: PendingDelivery,
  hook: Hook,
  { attempt, outcome }: Settlement,
  quiet: boolean,
): void {
  const fields = {
    event: delivery.eventId,
    event_name: delivery.eventName,
    room_sid: delivery.roomSid,
    hook: hook.id,
    host: hook.host,
  };
  if (outcome.kind === "expired") {
    log.warn(fields, "A delivery expired");
    return;
  }
  const line = {
    ...fields,
    status: attempt?.status,
    error: attempt?.error,
    attempt: delivery.attempts + 1,
    ms: Math.round(attempt?.durationMs ?? 0),
  };
  if (outcome.kind === "delivered") log.info(line, "Delivered");
  else if (outcome.kind === "dead") log.warn({ ...line, reason: outcome.reason }, "Not delivered: given up");
  else {
    const level = quiet ? "debug" : "warn";
    log[level]({ ...line, next_try: new Date(outcome.dueAt).toISOString() }, "Not delivered yet");
  }
}

/** One line when a breaker opens and one when it closes. */
export function reportBreaker(
  log: Logger,
  hook: Hook,
  { attempt }: Pick<Settlement, "attempt">,
  before: Breaker,
  after: Breaker,
  now: number,
): void {
  const fields = { hook: hook.id, host: hook.host };
  if (before.kind === "closed" && after.kind === "open") {
    log.warn(
      { ...fields, reason: after.reason, status: attempt?.status, error: attempt?.error },
      "The hook's endpoint does not work: its deliveries wait until a probe is answered",
    );
  } else if (before.kind === "open" && after.kind === "closed") {
    log.info(
      { ...fields, open_ms: Math.round(now - before.since), failed_probes: before.failed },
      "The hook's endpoint works again: what waits for it is sent",
    );
  }
}
