import type { Clock } from "../contracts/clock";
import { ok, problem, skipped, warning, type Finding } from "./finding";

/** LiveKit's clock against ours, in milliseconds: positive when LiveKit's is ahead. */
export type ClockReading = { readonly aheadMs: number };

/** What LiveKit, and we, forgive in a token's times. */
const LEEWAY_MS = 60_000;
/** A `Date` header has whole seconds, and its answer some way to go. */
const NOTICEABLE_MS = 5_000;
const TIMEOUT_MS = 5_000;

/** Reads LiveKit's clock off the Date header of any answer of its; undefined when there is none. */
export async function readLiveKitClock(url: string, clock: Clock): Promise<ClockReading | undefined> {
  const before = clock.now();
  try {
    // LiveKit's health check, which needs no token.
    const response = await fetch(new URL("/", url.replace(/^ws/i, "http")), {
      redirect: "manual",
      proxy: false,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const after = clock.now();
    await response.body?.cancel();
    const date = Date.parse(response.headers.get("date") ?? "");
    // The header's second began up to 1 s before LiveKit wrote it.
    return Number.isNaN(date) ? undefined : { aheadMs: date + 500 - (before + after) / 2 };
  } catch {
    // Fails open because why LiveKit does not answer is told by the check of LiveKit.
    return undefined;
  }
}

/** @param refused LiveKit finds our tokens too old or too new. */
export function judgeClock(reading: ClockReading | undefined, refused: boolean): Finding {
  if (reading === undefined && !refused) {
    return skipped("clock", "LiveKit's clock cannot be read: it does not answer, or what answers sends no Date.");
  }
  const { aheadMs } = reading ?? { aheadMs: undefined };
  const differs = aheadMs === undefined ? "differ" : `differ by ${describe(aheadMs)}`;
  const mend = "Set both clocks by NTP (timedatectl, chronyc tracking).";
  if (refused || Math.abs(aheadMs ?? 0) > LEEWAY_MS) {
    return problem("clock", "clock_differs", {
      what: `The clocks of this machine and of LiveKit's ${differs}.`,
      why:
        "A token's times are forgiven 60 s: LiveKit refuses what is asked of it, or its webhooks are refused here, which it " +
        "takes for delivered.",
      mend,
    });
  }
  if (Math.abs(aheadMs ?? 0) > NOTICEABLE_MS) {
    return warning("clock", "clock_drifts", {
      what: `The clocks of this machine and of LiveKit's ${differs}.`,
      why: "From 60 s on webhooks are refused.",
      mend,
    });
  }
  return ok("clock", "clock_right", "The clocks of this machine and of LiveKit's agree.");
}

function describe(aheadMs: number): string {
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  return `${seconds} s: LiveKit's is ${aheadMs > 0 ? "ahead" : "behind"}`;
}
