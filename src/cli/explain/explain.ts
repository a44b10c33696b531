import { existsSync } from "node:fs";
import type { ExplainAnswer, ExplainRequest } from "../../../plugins/explain/explain-schemas";
import type { Paint } from "../../demo/paint";
import type { ApiClient } from "../api-client";
import { EXIT, type ExitCode } from "../exit-code";
import type { Output } from "../output";
import { readInput } from "../read-input";
import { renderTable, type Cell } from "../table";
import { visible } from "../visible";

const MEANING: Readonly<Record<string, string>> = {
  delivered: "it goes to its hook",
  unwanted: "its hook does not want such events",
  cancelled: "its hook is gone: the delivery is cancelled",
  held: "it is kept until its call has a hook",
  no_match: "no hook matches: it is kept, and listed as unmatched",
  undecided: "a matcher failed: the next event with attributes is asked about",
  duplicate: "its id is known: it adds nothing",
  not_sip: "its room is none of SIP's: answered 200, and not kept",
  no_hooks: "there are no hooks: answered 200, and not kept",
};

/** What reaches a hook, or adds nothing because it has. */
const WELL = new Set(["delivered", "duplicate"]);

export async function explain(api: ApiClient, output: Output, question: string): Promise<ExitCode> {
  const answer = await api.send<ExplainAnswer>("POST", "/sip/explain", await toRequest(question));
  output.answer(answer, (paint) => render(answer, paint));
  return WELL.has(answer.outcome) ? EXIT.ok : EXIT.failed;
}

/** A file is one that there is; a host has neither brackets, nor a colon that is not a port's or an IPv6 address's. */
async function toRequest(question: string): Promise<ExplainRequest> {
  if (question === "-" || existsSync(question)) return { event: await readInput(question) };
  return /[<>@"\s]|^(sips?|tel):/i.test(question) ? { to: question } : { host: question };
}

function render({ outcome, hooks, steps }: ExplainAnswer, paint: Paint): string[] {
  const colour = WELL.has(outcome) ? "green" : "red";
  const rows = hooks.map((hook): Cell[] => [
    hook.host ?? "gone",
    hook.auth_id ?? "-",
    hook.breaker === undefined ? hook.state : { text: `${hook.state}, not working`, colour: "red" },
    hook.wants_event ? "yes" : "no",
    String(hook.earlier_events),
  ]);
  return [
    ...steps.map(({ step, message }) => `${paint("dim", step.padEnd(12))}${visible(message)}`),
    "",
    paint(colour, `${outcome}: ${MEANING[outcome] ?? outcome}`),
    ...(rows.length === 0
      ? []
      : ["", ...renderTable(["HOOK", "AUTH_ID", "STATE", "WANTS IT", "EARLIER EVENTS"], rows, paint)]),
  ];
}
