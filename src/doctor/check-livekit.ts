import type { Config } from "../../plugins/config-loader";
import { createSipClient, listSip, type ListedSip, type Verdict } from "../../plugins/provisioner";
import type { Clock } from "../contracts/clock";
import { ok, problem, type Finding } from "./finding";

export type LiveKitState = {
  readonly findings: readonly Finding[];
  readonly listed: Extract<ListedSip, { kind: "listed" }> | undefined;
  /** LiveKit finds our tokens too old or too new. */
  readonly clockDiffers: boolean;
};

/** Asks LiveKit for its trunks and rules, which shows whether it is there, and what our key may do. */
export async function checkLiveKit({ livekit }: Config, clock: Clock): Promise<LiveKitState> {
  const { url, api_key: apiKey, api_secret: apiSecret } = livekit;
  if (apiKey === undefined || apiSecret === undefined) {
    return { findings: [noCredentials()], listed: undefined, clockDiffers: false };
  }
  const listed = await listSip(createSipClient({ url, apiKey, apiSecret, clock }));
  if (listed.kind === "listed") {
    return {
      findings: [
        ok("livekit", "livekit_right", `LiveKit at ${url} accepts the API key ${apiKey}, which may set up SIP.`),
      ],
      listed,
      clockDiffers: false,
    };
  }
  const { verdict } = listed;
  const clockDiffers = verdict.kind === "definite" && verdict.reason === "clock";
  // The clocks have an area of their own.
  return { findings: clockDiffers ? [] : [judgeVerdict(verdict, url)], listed: undefined, clockDiffers };
}

const noCredentials = (): Finding =>
  problem("livekit", "livekit_credentials_missing", {
    what: "There are no LiveKit credentials.",
    why: "Nothing is provisioned, and webhooks are answered 503: nobody can tell who sent them.",
    mend: "Set LIVEKIT_API_KEY and LIVEKIT_API_SECRET (livekit.api_key, livekit.api_secret).",
  });

export function judgeVerdict(verdict: Verdict, url: string): Finding {
  if (verdict.kind === "try again") {
    return problem("livekit", "livekit_unreachable", {
      what: `${verdict.cause}, at ${url}.`,
      why: "Without LiveKit there are no calls; the next start would wait for it for 60 s, and end.",
      mend: "Check that LiveKit runs, and that LIVEKIT_URL (livekit.url) is its address as seen from here.",
    });
  }
  return problem("livekit", `livekit_${verdict.reason}`, {
    what: `${capitalised(verdict.cause)}, at ${url}.`,
    why: WHY[verdict.reason],
    mend: verdict.hint,
  });
}

const WHY: Readonly<Record<Extract<Verdict, { kind: "definite" }>["reason"], string>> = {
  no_redis: "LiveKit has no SIP then: no call comes in.",
  clock: "It refuses what is asked of it, and its webhooks are refused here.",
  no_grant: "Trunk and rule can be neither made nor looked at.",
  wrong_key: "Trunk and rule can be neither made nor looked at, and webhooks signed with another key are refused.",
  no_livekit: "Trunk and rule can be neither made nor looked at.",
  refused: "Trunk and rule can be neither made nor looked at.",
};

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
