import type { CallView } from "../../../plugins/history/call-schemas";
import type { ApiClient } from "../api-client";
import { EXIT, type ExitCode } from "../exit-code";
import type { Output } from "../output";
import { readMoment } from "../read-moment";
import { readPages } from "../read-pages";
import { showLength, showTime } from "../show-time";
import { renderTable, type Cell } from "../table";

export type CallFilter = {
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly caller?: string | undefined;
  readonly callee?: string | undefined;
  readonly sipCallId?: string | undefined;
  readonly room?: string | undefined;
  readonly hook?: string | undefined;
  readonly state?: "active" | "finished" | undefined;
  readonly limit: number;
};

export async function listCalls(api: ApiClient, output: Output, filter: CallFilter): Promise<ExitCode> {
  const { sipCallId, limit, since, until, caller, callee, room, hook, state } = filter;
  const now = Date.now();
  const answer = await readPages<"calls", CallView>(api, output, {
    path: "/sip/calls",
    name: "calls",
    query: {
      since: readMoment("--since", since, now),
      until: readMoment("--until", until, now),
      sip_call_id: sipCallId,
      caller,
      callee,
      room,
      hook,
      state,
    },
    limit,
  });
  output.answer(answer, (paint) => {
    if (answer.calls.length === 0) return "There are no such calls.";
    return renderTable(["CALL", "BEGAN", "LENGTH", "FROM", "TO", "HOOKS"], answer.calls.map(toRow), paint);
  });
  if (answer.next !== undefined) output.note(`There are more; --limit is ${limit}.`);
  return EXIT.ok;
}

function toRow({ room_sid: sid, began_at: began, finished_at: finished, hooks, participants }: CallView): Cell[] {
  const sip = participants.find((participant) => participant.sip);
  return [
    sid,
    showTime(began),
    finished === undefined ? { text: "active", colour: "green" } : showLength(Date.parse(finished) - Date.parse(began)),
    sip?.caller ?? "-",
    sip?.callee ?? "-",
    hooks.length === 0
      ? { text: "none", colour: "yellow" }
      : hooks.map(({ host, auth_id: authId }) => host ?? authId ?? "gone").join(", "),
  ];
}
