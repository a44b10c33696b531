import type { SipConfig } from "../../plugins/config-loader";
import type { ExplainAnswer } from "../../plugins/explain/explain-schemas";
import { readQuestion } from "../../plugins/explain/question";
import { builtInMatchers } from "../../plugins/webhook-forwarder/matchers";
import { createAsking } from "../../plugins/webhook-forwarder/router";
import { matchParticipant } from "../../plugins/webhook-forwarder/router/match-participant";
import { toHooks, toRoutes } from "../sip-settings";
import type { Clock } from "../contracts/clock";
import { HookTable } from "../domain/hook-table";
import type { AskedCall } from "./asked-call";
import type { MatchedCall } from "./check-host";

const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/**
 * Finds the hook of a call among those of the configuration, by the service's own matching code, for when the service cannot be
 * asked. Matchers of plugins are not started here: those calls are undecided.
 */
export async function matchFromHere(call: AskedCall, sip: SipConfig, clock: Clock): Promise<MatchedCall> {
  const table = new HookTable(toHooks(sip));
  const known = new Map(builtInMatchers(toRoutes(sip)).map((matcher) => [matcher.name, matcher]));
  const matchers = sip.matchers.map((name) => known.get(name));
  const builtIn = matchers.filter((matcher) => matcher !== undefined);
  const { event } = readQuestion(call.question, sip.room_prefix, sip.host_headers[0] ?? "To");
  const history = { remembered: async () => ({ duplicate: false, call: undefined }) };
  const asking = createAsking({ clock, log: SILENT, deadlineMs: sip.matcher_deadline, history });
  const options = { matchers: builtIn, hostHeaders: sip.host_headers, setRoomOwner: false, asking };
  const match = await matchParticipant(event, table, options);
  const hook = match?.kind === "hook" ? table.byId(match.hook) : undefined;
  const hosts = table.all().map(({ host }) => host);
  if (hook !== undefined) return { outcome: "delivered", hook: hook.host, hosts };
  return { outcome: builtIn.length < matchers.length ? "undecided" : "no_match", hook: undefined, hosts };
}

/** By the running service, with its plugins and the hooks added at run time. */
export function matchedByService(answer: ExplainAnswer, hosts: readonly string[]): MatchedCall {
  return { outcome: answer.outcome, hook: answer.hooks[0]?.host, hosts };
}
