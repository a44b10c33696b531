import type { ApiClient } from "../api-client";
import { misuse } from "../command-error";
import { EXIT, type ExitCode } from "../exit-code";
import type { Output } from "../output";
import { readIds } from "./replay-deliveries";

export type Cancelled = {
  readonly ids: readonly string[];
  readonly hook?: string | undefined;
  readonly call?: string | undefined;
};

/** @throws CommandError unless it is one of ids, hook and call. */
export async function cancelDeliveries(api: ApiClient, output: Output, chosen: Cancelled): Promise<ExitCode> {
  const { hook, call } = chosen;
  const ids = readIds(chosen.ids);
  const named = [...(ids.length === 0 ? [] : [{ ids }]), ...(hook === undefined ? [] : [{ hook }])];
  const [selection, ...others] = [...named, ...(call === undefined ? [] : [{ call }])];
  if (selection === undefined || others.length > 0) {
    throw misuse("name what is to be cancelled: numbers, or --hook, or --call");
  }
  const answer = await api.send<{ cancelled: number }>("POST", "/sip/deliveries/cancel", selection);
  output.answer(answer, () => `Cancelled: ${answer.cancelled}. What was under way may still arrive.`);
  return EXIT.ok;
}
