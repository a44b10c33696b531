import type { Logger } from "../../../src/contracts/logger";
import type { TokenRefusal } from "./verify-token";

export type RefusalLogOptions = {
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** At most one line per reason in this time. */
  readonly everyMs?: number;
};

/**
 * Logs refused webhooks, at most one line per reason in `everyMs`; each line says how many it stands for. The token and
 * the body are never part of a line.
 *
 * A refusal for time or for an unknown key is an error: it is what a clock or a configuration that went wrong looks like,
 * and LiveKit takes a 401 for delivered, so that the event is gone. Anything else is a warning: it is what a stranger sends.
 */
export function createRefusalLog(options: RefusalLogOptions): (refusal: TokenRefusal, requestId?: string) => void {
  const { log, now, everyMs = 10_000 } = options;
  const reasons = new Map<TokenRefusal["reason"], { loggedAt: number; suppressed: number }>();

  return (refusal, requestId) => {
    const at = now();
    const last = reasons.get(refusal.reason);
    // A clock that was set back since the last line must not silence the next ones.
    if (last !== undefined && at >= last.loggedAt && at - last.loggedAt < everyMs) {
      last.suppressed += 1;
      return;
    }
    reasons.set(refusal.reason, { loggedAt: at, suppressed: 0 });
    const { kind: _, ...fields } = refusal;
    const line = {
      ...fields,
      ...(requestId === undefined ? {} : { request_id: requestId }),
      suppressed: last?.suppressed ?? 0,
    };
    const { level, message } = describe(refusal);
    log[level](line, `LiveKit webhook refused: ${message}`);
  };
}

function describe(refusal: TokenRefusal): { level: "error" | "warn"; message: string } {
  switch (refusal.reason) {
    case "missing":
      return { level: "warn", message: "it has no Authorization header" };
    case "malformed":
      return { level: "warn", message: "its token is not a JWT (LiveKit sends it without Bearer)" };
    case "algorithm":
      return { level: "warn", message: "its token is not signed with HS256" };
    case "claims":
      return { level: "warn", message: "its token lacks a claim that LiveKit sets, or has it with the wrong type" };
    case "signature":
      return { level: "warn", message: `its token is not signed with the secret of API key ${refusal.keyId}` };
    case "body-hash":
      return { level: "warn", message: "its body is not the one that was signed" };
    case "unknown-key":
      return {
        level: "error",
        message:
          `API key ${refusal.keyId} is not configured; LiveKit does not send the event again. ` +
          "Set livekit.api_key, or add it to livekit.webhook_keys",
      };
    case "expired":
    case "not-yet-valid":
      return {
        level: "error",
        message:
          `its token ${refusal.reason === "expired" ? "has expired" : "is not valid yet"}; this clock is ` +
          `${Math.abs(refusal.skewSeconds)} s ${refusal.skewSeconds < 0 ? "behind" : "ahead of"} the time at which ` +
          "it was signed; LiveKit does not send the event again. Check the clocks of both machines",
      };
  }
}
