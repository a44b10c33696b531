import type { ReplayAnswer, ReplayRequest } from "../../../plugins/history/replay-schemas";
import type { ApiClient } from "../api-client";
import { misuse } from "../command-error";
import { EXIT, type ExitCode } from "../exit-code";
import type { Output } from "../output";
import { readMoment } from "../read-moment";
import { readStates } from "../read-states";
import { renderReplay } from "./render-replay";

export type Selection = {
  readonly call?: string | undefined;
  readonly hook?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly states?: string | undefined;
  readonly unmatched?: true | undefined;
  readonly room?: string | undefined;
  readonly dryRun?: true | undefined;
};

const SAFE = "What is pending is left alone by another replay.";
const STATES = ["dead", "expired", "cancelled", "delivered"] as const;

/**
 * Sends again what is selected, page after page; with `--json` the sum of the answers.
 *
 * @throws CommandError when nothing is selected, or what does not go together.
 */
export async function replay(api: ApiClient, output: Output, selection: Selection): Promise<ExitCode> {
  const request = toRequest(selection, Date.now());
  const sum = { queued: 0, pending: 0, unwanted: 0, dry_run: selection.dryRun === true };
  let cursor: string | undefined;
  do {
    const body = { ...request, ...(cursor === undefined ? {} : { cursor }) };
    const answer = await api.send<ReplayAnswer>("POST", "/sip/replay", body).catch((error: unknown) => {
      if (sum.queued > 0 && !sum.dry_run) output.note(`Before it broke off: ${sum.queued} queued again. ${SAFE}`);
      throw error;
    });
    sum.queued += answer.queued;
    sum.pending += answer.pending;
    sum.unwanted += answer.unwanted;
    cursor = answer.next;
    if (cursor !== undefined) output.progress(`${sum.queued} ${sum.dry_run ? "would be queued" : "queued"} …`);
  } while (cursor !== undefined);
  output.answer(sum, () => renderReplay(sum));
  return EXIT.ok;
}

function toRequest(selection: Selection, now: number): ReplayRequest {
  const { call, hook, states, unmatched, room, dryRun } = selection;
  const since = readMoment("--since", selection.since, now);
  const until = readMoment("--until", selection.until, now);
  const span = { ...(since === undefined ? {} : { since }), ...(until === undefined ? {} : { until }) };
  const common = dryRun === true ? { dry_run: true } : {};
  if (unmatched === true) {
    if (call !== undefined || states !== undefined) {
      throw misuse("--unmatched has --hook, --since, --until and --room beside it, nothing else");
    }
    const wanted = { ...(room === undefined ? {} : { room }), ...(hook === undefined ? {} : { host: hook }) };
    return { unmatched: { ...span, ...wanted }, ...common };
  }
  if (room !== undefined) throw misuse("--room is for --unmatched; --call names a call by its room's sid");
  if (call === undefined && hook === undefined && since === undefined && until === undefined) {
    throw misuse("name what is to be sent again: --call, --hook, --since, --until or --unmatched");
  }
  return {
    ...(call === undefined ? {} : { call }),
    ...(hook === undefined ? {} : { hook }),
    ...span,
    ...(states === undefined ? {} : { states: readStates("--states", states, STATES) }),
    ...common,
  };
}
