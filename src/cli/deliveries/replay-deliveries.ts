import type { ReplayAnswer } from "../../../plugins/history/replay-schemas";
import type { ApiClient } from "../api-client";
import { misuse } from "../command-error";
import { EXIT, type ExitCode } from "../exit-code";
import type { Output } from "../output";
import { renderReplay } from "../replay/render-replay";

/**
 * Sends each again; with `--json` the answers' sum. One that there is not ends it before any is sent.
 *
 * @throws CommandError for what is no number, and for a delivery that there is not.
 */
export async function replayDeliveries(
  api: ApiClient,
  output: Output,
  ids: readonly string[],
  dryRun: boolean,
): Promise<ExitCode> {
  const numbers = readIds(ids);
  for (const [i, id] of numbers.entries()) {
    if (numbers.length > 1) output.progress(`Looking at ${i + 1} of ${numbers.length} …`);
    await api.get(`/sip/deliveries/${id}`);
  }
  const sum = { queued: 0, pending: 0, unwanted: 0, dry_run: dryRun };
  for (const [i, id] of numbers.entries()) {
    if (numbers.length > 1) output.progress(`Sending ${i + 1} of ${numbers.length} …`);
    const answer = await api.send<ReplayAnswer>("POST", "/sip/replay", { delivery: id, dry_run: dryRun });
    sum.queued += answer.queued;
    sum.pending += answer.pending;
    sum.unwanted += answer.unwanted;
  }
  output.answer(sum, () => renderReplay(sum));
  return EXIT.ok;
}

/** @throws CommandError */
export function readIds(texts: readonly string[]): number[] {
  return texts.map((text) => {
    if (!/^[1-9]\d{0,14}$/.test(text)) throw misuse(`no delivery has this number: ${text}`);
    return Number(text);
  });
}
