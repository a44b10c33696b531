import type { ProvisioningProblem } from "./provisioning-error";
import type { TwirpAnswer } from "./twirp-client";

export type Refusal = Exclude<TwirpAnswer, { kind: "ok" }>;

export type Verdict =
  /** LiveKit may be there in a moment. */
  | { readonly kind: "try again"; readonly cause: string }
  /** Trying again cannot help. */
  | ({ readonly kind: "definite"; readonly reason: DefiniteReason } & ProvisioningProblem);

/** What LiveKit, or whatever answers in its place, has against us. */
export type DefiniteReason = "no_redis" | "clock" | "no_grant" | "wrong_key" | "no_livekit" | "refused";

/**
 * Tells an outage from a failure that stays. Fails closed: what is neither known to pass nor a server's 5xx is
 * definite, so that a wrong setting ends the start at once.
 */
export function judgeRefusal(refusal: Refusal): Verdict {
  if (refusal.kind === "unreachable") return { kind: "try again", cause: `LiveKit is unreachable (${refusal.reason})` };
  const { status, message } = refusal;
  if (message?.includes("redis required")) {
    return definite(
      "no_redis",
      "LiveKit runs without Redis, which its SIP service needs",
      "Configure redis in LiveKit's and in livekit-sip's configuration, and restart both.",
    );
  }
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    return { kind: "try again", cause: `LiveKit answered ${described(refusal)}` };
  }
  if (status === 401 || status === 403) return judgeCredentials(refusal);
  if (status < 300 || status === 404 || refusal.code === undefined) {
    return definite(
      "no_livekit",
      `what answers at livekit.url is no LiveKit with a SIP API (it answered ${described(refusal)})`,
      "Check livekit.url (LIVEKIT_URL), and that livekit-server is 1.9.1 or newer.",
    );
  }
  return definite(
    "refused",
    `LiveKit answered ${described(refusal)}`,
    "Change what LiveKit complains about, and start again.",
  );
}

function judgeCredentials(refusal: Refusal & { kind: "refused" }): Verdict {
  if (refusal.clockDiffers) {
    return definite(
      "clock",
      "LiveKit finds the token expired or not valid yet",
      "Set the clocks of this machine and of LiveKit's by NTP.",
    );
  }
  if (refusal.message?.includes("permissions denied") === true || refusal.status === 403) {
    return definite(
      "no_grant",
      `LiveKit's API key lacks the SIP admin grant (${described(refusal)})`,
      "Use a key and secret of LiveKit's own configuration (LIVEKIT_API_KEY, LIVEKIT_API_SECRET).",
    );
  }
  return definite(
    "wrong_key",
    `LiveKit does not accept the API key and secret (${described(refusal)})`,
    "Check livekit.api_key and livekit.api_secret (LIVEKIT_API_KEY, LIVEKIT_API_SECRET) against LiveKit's keys.",
  );
}

const described = ({ status, message }: Refusal & { kind: "refused" }): string =>
  message === undefined ? `HTTP ${status}` : `HTTP ${status}: ${message}`;

const definite = (reason: DefiniteReason, cause: string, hint: string): Verdict => ({
  kind: "definite",
  reason,
  cause,
  hint,
});
