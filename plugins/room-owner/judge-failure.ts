import type { TwirpError } from "livekit-server-sdk";

export type Failure =
  | { readonly kind: "gone" }
  /** LiveKit refuses what is to be written: too long, for one. */
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "try again"; readonly reason: string };

/**
 * What an error of LiveKit's client means. Wrong credentials are tried again, too: they keep the whole service from
 * starting, so that at run time they are a rotation, or a clock.
 */
export function judgeFailure(error: unknown): Failure {
  if (!isTwirpError(error)) return { kind: "try again", reason: `LiveKit is unreachable (${codeOf(error)})` };
  if (error.code === "not_found") return { kind: "gone" };
  // Without a code the message is a plain text of LiveKit or of a proxy; LiveKit's repeats the token (up to version 1.13).
  const said = error.code === undefined ? "" : `: ${error.message.slice(0, 200)}`;
  const reason = `LiveKit answered HTTP ${error.status}${said}`;
  return error.status === 400 ? { kind: "refused", reason } : { kind: "try again", reason };
}

/** By its shape: the class would load the SDK, which is not needed before the first room. */
function isTwirpError(error: unknown): error is TwirpError {
  return error instanceof Error && "status" in error && typeof error.status === "number";
}

/** `ECONNREFUSED`, `TimeoutError`, …: the messages have the URL in them. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown error";
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
