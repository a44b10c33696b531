import type { DeliveryView } from "../../../plugins/history/delivery-schemas";
import type { ApiClient } from "../api-client";
import { misuse } from "../command-error";
import { EXIT, type ExitCode } from "../exit-code";
import type { Output } from "../output";
import { readMoment } from "../read-moment";
import { readPages } from "../read-pages";
import { readStates } from "../read-states";
import { showTime } from "../show-time";
import { renderTable, type Cell } from "../table";
import { stateColour } from "./state-colour";
import { showWaiting } from "./waiting";

export type DeliveryFilter = {
  readonly state?: string | undefined;
  readonly failed?: true | undefined;
  readonly hook?: string | undefined;
  readonly authId?: string | undefined;
  readonly room?: string | undefined;
  readonly call?: string | undefined;
  readonly event?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly limit: number;
};

const STATES = ["pending", "delivered", "dead", "expired", "cancelled"] as const;

export async function listDeliveries(api: ApiClient, output: Output, filter: DeliveryFilter): Promise<ExitCode> {
  const { state, failed, hook, authId, room, call, event, since, until, limit } = filter;
  if (failed && state !== undefined) throw misuse("--failed is a --state: name one of them");
  const now = Date.now();
  const answer = await readPages<"deliveries", DeliveryView>(api, output, {
    path: "/sip/deliveries",
    name: "deliveries",
    query: {
      state: failed ? "dead,expired,cancelled" : state && readStates("--state", state, STATES).join(","),
      hook,
      auth_id: authId,
      room,
      call,
      event,
      since: readMoment("--since", since, now),
      until: readMoment("--until", until, now),
    },
    limit,
  });
  output.answer(answer, (paint) => {
    if (answer.deliveries.length === 0) return "There are no such deliveries.";
    const head = ["ID", "QUEUED", "STATE", "EVENT", "CALL", "HOOK", "ATTEMPTS", "REASON"];
    return renderTable(head, answer.deliveries.map(toRow), paint);
  });
  if (answer.next !== undefined) output.note(`There are more; --limit is ${limit}.`);
  return EXIT.ok;
}

function toRow(delivery: DeliveryView): Cell[] {
  const { id, queued_at: queued, state, event, room_sid: sid, hook, attempt_count: attempts, reason } = delivery;
  const again = delivery.replayed_by;
  return [
    String(id),
    showTime(queued),
    { text: state, colour: stateColour(state) },
    event,
    sid,
    hook.host ?? hook.auth_id ?? "gone",
    String(attempts),
    state === "pending"
      ? showWaiting(delivery)
      : [reason, again && `sent again as ${again.id}: ${again.state}`].filter(Boolean).join("; "),
  ];
}
