import type { ApiClient } from "../api-client";
import type { ExitCode } from "../exit-code";
import type { Output } from "../output";
import { showHooks, type HookTable } from "./list-hooks";

export async function pauseHooks(
  api: ApiClient,
  output: Output,
  what: "pause" | "resume",
  hosts: readonly string[],
): Promise<ExitCode> {
  return showHooks(await api.send<HookTable>("POST", `/sip/hooks/${what}`, { hosts }), output, hosts);
}
