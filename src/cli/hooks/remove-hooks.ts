import type { ApiClient } from "../api-client";
import { EXIT, type ExitCode } from "../exit-code";
import type { Output } from "../output";
import { visible } from "../visible";
import type { HookTable } from "./list-hooks";

export async function removeHooks(api: ApiClient, output: Output, hosts: readonly string[]): Promise<ExitCode> {
  const answer = await api.send<HookTable>("DELETE", "/sip/hooks", { hosts });
  const left = `${answer.hooks.length} ${answer.hooks.length === 1 ? "hook is" : "hooks are"} left.`;
  output.answer(answer, () => `Deleted: ${hosts.map(visible).join(", ")}. ${left}`);
  return EXIT.ok;
}
