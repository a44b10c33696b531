import type { Static } from "elysia";
import type { HookList, HookView } from "../../../plugins/hooks-store/hook-schemas";
import type { ApiClient } from "../api-client";
import type { Output } from "../output";
import { renderTable, type Cell } from "../table";

export async function listHooks(api: ApiClient, output: Output): Promise<void> {
  showHooks(await api.get<Static<typeof HookList>>("/sip/hooks"), output);
}

/** What most of the hooks' routes answer: the table as it is now. */
export function showHooks(answer: Static<typeof HookList>, output: Output): void {
  output.answer(answer, (paint) => {
    if (answer.hooks.length === 0) return "There are no hooks.";
    const rows = answer.hooks.map((hook): Cell[] => [
      hook.host,
      hook.auth_id ?? "-",
      hook.source,
      stateOf(hook),
      hook.url,
    ]);
    return renderTable(["HOST", "AUTH_ID", "FROM", "STATE", "URL"], rows, paint);
  });
}

function stateOf({ paused, breaker }: HookView): Cell {
  if (paused !== undefined) return { text: `paused: ${paused.reason}`, colour: "yellow" };
  if (breaker !== undefined) return { text: `not working: ${breaker.reason}`, colour: "red" };
  return { text: "active", colour: "green" };
}
