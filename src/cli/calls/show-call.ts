import type { CallDetail } from "../../../plugins/history/call-schemas";
import type { Paint } from "../../demo/paint";
import type { ApiClient } from "../api-client";
import { EXIT, type ExitCode } from "../exit-code";
import type { Output } from "../output";
import { showLength, showTime } from "../show-time";
import { renderFields } from "../table";
import { visible } from "../visible";
import { callTimeline } from "./call-timeline";
import { readCall } from "./read-call";
import { renderTimeline } from "./render-timeline";

/** 1 when something of the call did not arrive, and has not been sent again since. */
export async function showCall(api: ApiClient, output: Output, roomSid: string): Promise<ExitCode> {
  const call = await readCall(api, output, roomSid);
  output.answer({ call }, (paint) => renderCall(call, paint));
  return openGaps(call).length === 0 ? EXIT.ok : EXIT.failed;
}

function renderCall(call: CallDetail, paint: Paint): string[] {
  const { room_sid: sid, room, began_at: began, finished_at: finished, events } = call;
  const beganAt = Date.parse(events[0]?.received_at ?? began);
  const length = finished === undefined ? "" : ` (${showLength(Date.parse(finished) - Date.parse(began))})`;
  const gaps = openGaps(call).length;
  const pending = events.flatMap(({ deliveries }) => deliveries).filter(({ state }) => state === "pending").length;
  return [
    ...renderFields(
      {
        call: sid,
        room,
        began: showTime(began),
        finished: finished === undefined ? { text: "not yet", colour: "green" } : `${showTime(finished)}${length}`,
        hooks: hooksOf(call),
        pending: pending === 0 ? undefined : { text: `${pending} not arrived yet`, colour: "yellow" },
        gaps:
          gaps === 0 ? undefined : { text: `${gaps} did not arrive: sayna-sip replay --call ${sid}`, colour: "red" },
      },
      paint,
    ),
    ...renderParticipants(call, paint),
    "",
    paint("dim", `   seconds  since ${showTime(new Date(beganAt).toISOString())}`),
    ...renderTimeline(callTimeline(call), { beganAt, paint }),
  ];
}

function* renderParticipants({ participants }: CallDetail, paint: Paint): Iterable<string> {
  for (const { sid, caller, callee, sip, identity, why, sip_call_id: callId } of participants) {
    const numbers = sip ? [caller, callee].map((number) => number ?? "?").join(" -> ") : (identity ?? "");
    const id = callId === undefined ? "" : ` (Call-ID ${visible(callId)})`;
    yield "";
    yield `${paint("bold", visible(sid))}  ${visible(numbers)}${id}`;
    yield `  ${visible(why)}`;
  }
}

const hooksOf = ({ hooks }: CallDetail) =>
  hooks.length === 0
    ? ({ text: "none", colour: "yellow" } as const)
    : hooks.map(({ host, auth_id: authId }) => [host, authId && `(${authId})`].filter(Boolean).join(" ")).join(", ");

const openGaps = ({ gaps }: CallDetail) =>
  gaps.filter(({ replayed_by: again }) => again?.state !== "delivered" && again?.state !== "pending");
