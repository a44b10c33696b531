import type { CallDetail, CallView } from "../../../plugins/history/call-schemas";
import type { ApiClient } from "../api-client";
import { CommandError } from "../command-error";
import { EXIT, type ExitCode } from "../exit-code";
import type { Output } from "../output";
import { readPages } from "../read-pages";
import { visible } from "../visible";
import { callTimeline } from "./call-timeline";
import { readCall } from "./read-call";
import { renderTimeline } from "./render-timeline";
import type { TimelineItem } from "./timeline-item";

export type FollowOptions = {
  readonly roomSid: string | undefined;
  readonly hook: string | undefined;
  readonly intervalMs: number;
  /** Ends it. */
  readonly signal: AbortSignal;
};

/** Calls that are read at a turn, the others at the next ones, so that the service is not kept busy. */
const AT_A_TIME = 50;
/** A call that is over is looked at for so long, for what still arrives. */
const AFTERWARDS_MS = 10 * 60_000;
/**
 * How far back new calls are looked for: one that was held comes into a hook's list later than it began, and this machine's
 * clock is not the service's.
 */
const OVERLAP_MS = 2 * 60_000;
/** Wide enough for most hosts, since a line does not know the ones to come. */
const HOST_WIDTH = 24;

/** `shown` is undefined once it is over. */
type Followed = { shown: Set<string> | undefined };

/**
 * Prints what is new at each turn until it is ended; one call until it is over and nothing of it is pending. An answer that
 * does not come is told, and asked for again: the service may be starting again.
 */
export async function followCalls(api: ApiClient, output: Output, options: FollowOptions): Promise<ExitCode> {
  const { roomSid, hook, intervalMs, signal } = options;
  const followed = new Map<string, Followed>();
  let first = true;
  let failing = false;
  const isEnded = () => signal.aborted;
  while (!isEnded()) {
    try {
      if (roomSid === undefined) await followAll(api, output, { followed, hook, first });
      else await followOne(api, output, roomSid, followed);
      if (roomSid !== undefined && followed.get(roomSid)?.shown === undefined) return EXIT.ok;
      if (first && roomSid === undefined) output.note("Waiting for what happens to calls. Ctrl-C ends it.");
      failing = false;
      first = false;
    } catch (error) {
      if (isEnded()) break;
      // The first answer tells whether address, token and call are right.
      if (!(error instanceof CommandError) || first) throw error;
      if (!failing) output.note(`${error.message}\nAsking again every ${intervalMs / 1000} s.`);
      failing = true;
    }
    await pause(intervalMs, signal);
  }
  return EXIT.ok;
}

type Following = {
  readonly followed: Map<string, Followed>;
  readonly hook: string | undefined;
  readonly first: boolean;
};

async function followAll(api: ApiClient, output: Output, { followed, hook, first }: Following): Promise<void> {
  const recent = await listed({ since: new Date(Date.now() - OVERLAP_MS).toISOString() });
  const calls = first ? [...(await listed({ state: "active" })), ...recent] : recent;
  for (const { room_sid: sid } of calls.toReversed()) {
    if (followed.has(sid)) continue;
    // What has happened before the start is not told.
    if (first) markShown(await readCall(api, output, sid), followed);
    else followed.set(sid, { shown: new Set() });
  }
  // What is over comes back in the list of the recent ones only.
  const listedNow = new Set(recent.map(({ room_sid: sid }) => sid));
  for (const [sid, { shown }] of followed) if (shown === undefined && !listedNow.has(sid)) followed.delete(sid);
  const going = [...followed].filter(([, { shown }]) => shown !== undefined);
  for (const [sid] of going.slice(0, AT_A_TIME)) {
    try {
      await followOne(api, output, sid, followed);
    } catch (error) {
      if (!isGone(error)) throw error;
      followed.delete(sid);
    }
  }

  async function listed(query: Readonly<Record<string, string>>): Promise<readonly CallView[]> {
    const list = { path: "/sip/calls", name: "calls", query: { ...query, hook }, limit: MOST_LISTED } as const;
    return (await readPages<"calls", CallView>(api, output, list)).calls;
  }
}

/** More calls than that in two minutes nobody reads. */
const MOST_LISTED = 2_000;

function markShown(call: CallDetail, followed: Map<string, Followed>): void {
  followed.set(call.room_sid, { shown: new Set(callTimeline(call).map(({ key }) => key)) });
}

async function followOne(api: ApiClient, output: Output, sid: string, followed: Map<string, Followed>): Promise<void> {
  const call = await readCall(api, output, sid);
  const one: Followed = followed.get(sid) ?? { shown: new Set() };
  // To the end: those that were not looked at for longest come first, so that calls that never finish keep none from being told.
  followed.delete(sid);
  followed.set(sid, one);
  for (const item of callTimeline(call)) {
    if (one.shown?.has(item.key) !== false) continue;
    one.shown.add(item.key);
    print(call, item, output);
  }
  if (isOver(call)) one.shown = undefined;
}

function print({ room_sid: sid, room, began_at: began }: CallDetail, item: TimelineItem, output: Output): void {
  const { at, kind, text, who } = item;
  const time = new Date(at).toISOString();
  output.next({ at: time, room_sid: sid, room, kind, who: who.kind === "hook" ? who.host : who.kind, text }, (paint) =>
    renderTimeline([item], { beganAt: Date.parse(began), paint, width: HOST_WIDTH }).map(
      (line) => `${paint("dim", `${time.slice(11, 23)} ${visible(sid)}`)} ${line}`,
    ),
  );
}

/** Retention has removed the call: one that never finished, followed for a day. */
function isGone(error: unknown): boolean {
  const { error: about } = (error instanceof CommandError ? (error.json ?? {}) : {}) as { error?: { code?: unknown } };
  return about?.code === "call_not_found";
}

function isOver({ finished_at: finished, events }: CallDetail): boolean {
  if (finished === undefined) return false;
  const pending = events.some(({ deliveries }) => deliveries.some(({ state }) => state === "pending"));
  return !pending || Date.parse(finished) < Date.now() - AFTERWARDS_MS;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true });
    function end(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    }
  });
}
