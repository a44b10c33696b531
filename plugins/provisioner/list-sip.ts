import { judgeRefusal, type Verdict } from "./judge-refusal";
import { readItems, ruleApi, trunkApi, type SipApi, type SipItem } from "./sip-items";
import type { SipCall } from "./twirp-client";

export type ListedSip =
  | { readonly kind: "listed"; readonly trunks: readonly SipItem[]; readonly rules: readonly SipItem[] }
  | { readonly kind: "failed"; readonly verdict: Verdict };

/** Asks LiveKit once for all inbound trunks and dispatch rules; never rejects. */
export async function listSip(call: SipCall, stop: AbortSignal = new AbortController().signal): Promise<ListedSip> {
  const trunks = await list(trunkApi, call, stop);
  if ("verdict" in trunks) return { kind: "failed", verdict: trunks.verdict };
  const rules = await list(ruleApi, call, stop);
  if ("verdict" in rules) return { kind: "failed", verdict: rules.verdict };
  return { kind: "listed", trunks: trunks.items, rules: rules.items };
}

type Listed = { readonly items: readonly SipItem[] } | { readonly verdict: Verdict };

async function list(api: SipApi, call: SipCall, stop: AbortSignal): Promise<Listed> {
  const answer = await call(api.list, {}, stop);
  if (answer.kind !== "ok") return { verdict: judgeRefusal(answer) };
  const items = readItems(api, answer.body);
  if (items !== undefined) return { items };
  return {
    verdict: {
      kind: "definite",
      reason: "no_livekit",
      cause: `what answers at livekit.url is no LiveKit with a SIP API (${api.list} gave an answer of an unknown form)`,
      hint: "Check livekit.url (LIVEKIT_URL).",
    },
  };
}
