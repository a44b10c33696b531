import type { CallDetail } from "../../../plugins/history/call-schemas";
import type { AttemptView, DeliveryDetail } from "../../../plugins/history/delivery-schemas";
import { showWaiting } from "../deliveries/waiting";
import { showLength } from "../show-time";
import type { TimelineItem } from "./timeline-item";

type Event = CallDetail["events"][number];

/** LiveKit tells whole seconds; what is later than that and a bit is late. */
const LATE_MS = 2_000;
/** What was queued later than it was kept was held until its call had a hook. */
const HELD_MS = 20;
/** A pause before an attempt that is worth a line. */
const WAIT_MS = 250;

/**
 * All that happened to a call, in the order of time; what happened at the same time in the order of cause. What is still to
 * come is the end of it.
 */
export function callTimeline({ events }: Pick<CallDetail, "events">): TimelineItem[] {
  return events.flatMap((event) => itemsOf(event)).toSorted((a, b) => rank(a) - rank(b) || a.at - b.at);
}

const rank = ({ kind }: TimelineItem): number => (kind === "pending" ? 1 : 0);

function itemsOf(event: Event): TimelineItem[] {
  return [...aboutEvent(event), ...event.deliveries.flatMap((delivery) => [...aboutDelivery(event, delivery)])];
}

function* aboutEvent(event: Event): Iterable<TimelineItem> {
  const { webhook_id: id, event: name, participant, state } = event;
  const received = Date.parse(event.received_at);
  const late = event.created_at === undefined ? 0 : received - Date.parse(event.created_at);
  const about = participant === undefined ? "" : ` ${participant}`;
  yield {
    at: received,
    key: `event:${id}`,
    who: { kind: "livekit" },
    kind: "event",
    text: `${name}${about}${late > LATE_MS ? ` (made ${showLength(late)} earlier)` : ""}`,
    mood: late > LATE_MS ? "bad" : "neutral",
  };
  const kept = event.kept_at === undefined ? received : Date.parse(event.kept_at);
  const common = { at: Math.max(kept, received), who: { kind: "service" }, kind: "kept" } as const;
  if (state === "unmatched") {
    yield { ...common, key: `kept:${id}:unmatched`, text: `${name}: kept, and no hook matches`, mood: "bad" };
  } else if (state === "held") {
    yield { ...common, key: `kept:${id}:held`, text: `${name}: kept, held until its call has a hook`, mood: "neutral" };
  } else {
    const hosts = [...new Set(event.deliveries.filter(({ replay }) => !replay).map(hostOf))];
    const goesTo = hosts.length === 0 ? "kept, and no hook wants it" : `kept for ${hosts.join(", ")}`;
    yield { ...common, key: `kept:${id}:routed`, text: `${name}: ${goesTo}`, mood: "neutral" };
  }
}

function* aboutDelivery(event: Event, delivery: DeliveryDetail): Iterable<TimelineItem> {
  const { id, event: name, attempts } = delivery;
  const queued = Date.parse(delivery.queued_at);
  const who = { kind: "hook", host: hostOf(delivery) } as const;
  const heldFor = queued - Date.parse(event.received_at);
  if (delivery.replay || heldFor > HELD_MS) {
    yield {
      at: queued,
      key: `queued:${id}`,
      who: { kind: "service" },
      kind: "queued",
      text: delivery.replay
        ? `${name}: queued again for ${who.host}, as delivery ${id}`
        : `${name}: queued for ${who.host}, held for ${showLength(heldFor)}`,
      mood: "neutral",
    };
  }
  let before = queued;
  for (const attempt of attempts) {
    const at = Date.parse(attempt.at);
    if (at - before >= WAIT_MS) {
      const text = `${name}: waited ${showLength(at - before)}`;
      yield { at: before, key: `wait:${id}:${attempt.n}`, who, kind: "wait", text, mood: "neutral" };
    }
    yield { at, key: `attempt:${id}:${attempt.n}`, who, kind: "attempt", ...aboutAttempt(name, attempt) };
    before = at + attempt.duration_ms;
  }
  const ended = end(delivery, before);
  if (ended !== undefined) yield { ...ended, who };
}

/** How it ended without arriving, or what it waits for; an attempt that arrived says it itself. */
function end(delivery: DeliveryDetail, before: number): Omit<TimelineItem, "who"> | undefined {
  const { id, event: name, state, reason, settled_at: settled, next_try: next } = delivery;
  if (state === "pending") {
    return {
      at: next === undefined ? before : Date.parse(next),
      key: `pending:${id}`,
      kind: "pending",
      text: `${name}: not arrived yet, ${showWaiting(delivery)}`,
      mood: "neutral",
    };
  }
  if (state === "delivered") return undefined;
  const again = delivery.replayed_by;
  const replayed = again === undefined ? "" : `; sent again as delivery ${again.id}: ${again.state}`;
  return {
    at: settled === undefined ? before : Date.parse(settled),
    key: `gap:${id}:${again?.id ?? ""}:${again?.state ?? ""}`,
    kind: "gap",
    text: `GAP ${name}: ${state}${reason === undefined ? "" : `, ${reason}`} (delivery ${id})${replayed}`,
    mood: again?.state === "delivered" ? "neutral" : "bad",
  };
}

function aboutAttempt(name: string, attempt: AttemptView): Pick<TimelineItem, "text" | "mood"> {
  const { n, status, error, answer_start: start } = attempt;
  const good = status !== undefined && status >= 200 && status <= 299;
  const came = error === undefined ? `${status}` : error.code;
  const why = error?.message ?? (good || start === undefined || start === "" ? undefined : start.slice(0, MAX_ANSWER));
  const nth = n === 1 && good ? "" : ` attempt ${n}:`;
  return {
    text: `${name}:${nth} ${came} in ${showLength(attempt.duration_ms)}${why === undefined ? "" : `, ${why}`}`,
    mood: good ? "good" : "bad",
  };
}

const MAX_ANSWER = 80;

const hostOf = ({ hook }: Pick<DeliveryDetail, "hook">): string => hook.host ?? hook.auth_id ?? "a hook that is gone";
