import type { Static } from "elysia";
import type { HookList, HookView } from "../../../plugins/hooks-store/hook-schemas";
import type { ApiClient } from "../api-client";
import { EXIT, type ExitCode } from "../exit-code";
import type { Output } from "../output";
import { renderTable, type Cell } from "../table";
import { parseHostPattern } from "../../domain/host-pattern";

export type HookTable = Static<typeof HookList>;

export async function listHooks(api: ApiClient, output: Output): Promise<ExitCode> {
  return showHooks(await api.get<HookTable>("/sip/hooks"), output);
}

/**
 * What the hooks' routes answer: the table as it is now.
 *
 * @param hosts the rows that a person wants to see after a change of them; all without them.
 */
export function showHooks(answer: HookTable, output: Output, hosts?: readonly string[]): ExitCode {
  const chosen = hosts === undefined ? undefined : new Set(hosts.map((host) => parseHostPattern(host) ?? host));
  const shown = answer.hooks.filter(({ host }) => chosen?.has(host) !== false);
  output.answer(answer, (paint) => {
    if (shown.length === 0) return "There are no hooks.";
    const rows = shown.map((hook): Cell[] => [hook.host, hook.auth_id ?? "-", hook.source, stateOf(hook), hook.url]);
    return renderTable(["HOST", "AUTH_ID", "FROM", "STATE", "URL"], rows, paint);
  });
  return EXIT.ok;
}

function stateOf({ paused, breaker }: HookView): Cell {
  if (paused !== undefined) return { text: `paused: ${paused.reason}`, colour: "yellow" };
  if (breaker !== undefined) return { text: `not working: ${breaker.reason}`, colour: "red" };
  return { text: "active", colour: "green" };
}
