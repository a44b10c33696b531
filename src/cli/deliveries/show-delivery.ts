import type { DeliveryDetail } from "../../../plugins/history/delivery-schemas";
import type { Paint } from "../../demo/paint";
import type { ApiClient } from "../api-client";
import { EXIT, type ExitCode } from "../exit-code";
import type { Output } from "../output";
import { showLength, showTime } from "../show-time";
import { renderFields, renderTable, type Cell } from "../table";
import { stateColour } from "./state-colour";
import { DELAYED } from "./waiting";

/** 1 when it has ended without arriving, and no later one of the same event has arrived or may. */
export async function showDelivery(api: ApiClient, output: Output, id: number): Promise<ExitCode> {
  const answer = await api.get<{ delivery: DeliveryDetail }>(`/sip/deliveries/${id}`);
  output.answer(answer, (paint) => renderDelivery(answer.delivery, paint));
  const { state, replayed_by: again } = answer.delivery;
  return mayArrive(state) || (again !== undefined && mayArrive(again.state)) ? EXIT.ok : EXIT.failed;
}

const mayArrive = (state: string): boolean => state === "delivered" || state === "pending";

function renderDelivery(delivery: DeliveryDetail, paint: Paint): string[] {
  const { hook, replayed_by: again, waits_for: waitsFor, next_try: next, settled_at: settled, attempts } = delivery;
  const fields = renderFields(
    {
      delivery: `${delivery.id}${delivery.replay ? " (sent again)" : ""}`,
      state: { text: delivery.state, colour: stateColour(delivery.state) },
      reason: delivery.reason,
      event: `${delivery.event} ${delivery.webhook_id}`,
      call: `${delivery.room_sid} ${delivery.room}`,
      hook: [hook.host, hook.auth_id && `(${hook.auth_id})`].filter(Boolean).join(" "),
      received: showTime(delivery.received_at),
      queued: showTime(delivery.queued_at),
      ended: settled === undefined ? undefined : showTime(settled),
      "next try": next === undefined ? undefined : showTime(next),
      "held back": delivery.delayed_by && DELAYED[delivery.delayed_by],
      "waits for": waitsFor === undefined ? undefined : `delivery ${waitsFor} of the same call`,
      "sent again": again === undefined ? undefined : `as delivery ${again.id}: ${again.state}`,
    },
    paint,
  );
  if (attempts.length === 0) return fields;
  const rows = attempts.map(({ n, at, duration_ms: ms, status, error, answer_start: start }): Cell[] => [
    String(n),
    showTime(at),
    showLength(ms),
    { text: status === undefined ? (error?.code ?? "-") : String(status), colour: isGood(status) ? "green" : "red" },
    error === undefined ? (start ?? "") : `${error.step}${error.message === undefined ? "" : `: ${error.message}`}`,
  ]);
  return [...fields, "", ...renderTable(["ATTEMPT", "AT", "TOOK", "ANSWER", "WHAT CAME"], rows, paint)];
}

const isGood = (status: number | undefined): boolean => status !== undefined && status >= 200 && status <= 299;
