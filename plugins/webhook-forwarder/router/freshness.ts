import type { Clock } from "../../../src/contracts/clock";
import type { Logger } from "../../../src/contracts/logger";
import type { Measures } from "../../../src/contracts/measures";
import type { LiveKitEvent } from "../../../src/domain/livekit-event";
import { createRoomBacklog } from "./room-backlog";
import { createRoomProgress, type Gaps } from "./room-progress";

export type FreshnessOptions = {
  readonly clock: Clock;
  readonly log: Logger;
  readonly measures?: Pick<Measures, "lateness">;
};

/** What was seen since the start; times in milliseconds. */
export type FreshnessFigures = Gaps & {
  arrived: number;
  /** Of these, later than whole seconds in `createdAt` can explain. */
  late: number;
  /** Arrival less `createdAt`; below zero LiveKit's clock is ahead. Undefined until an event has come. */
  mostLate: number | undefined;
  leastLate: number | undefined;
  /** Refusals of events that had been refused for 8 s or more, and events refused as often as LiveKit tries. */
  refusedLong: number;
  givenUp: number;
};

/** `createdAt` has whole seconds, rounded down: an event that comes at once looks up to 1 s late. */
const NOISE_MS = 1_500;
/** LiveKit drops what has waited in a room's queue for 30 s, or is more than 200 events deep. */
const WARN_LATE_MS = 10_000;
const WARN_WAITING = 100;
/** With our Retry-After LiveKit gives an event up after 26 s, without it after 15 s. */
const WARN_REFUSED_MS = 8_000;
const LIVEKIT_ATTEMPTS = 5;
const WARN_EVERY_MS = 60_000;
const REMEMBERED_MS = 60_000;
const REMEMBERED_EVENTS = 10_000;

/** Measures how late LiveKit's webhooks come and what is missing of them, and warns before LiveKit's limits drop events. */
export function createFreshness({ clock, log, measures }: FreshnessOptions) {
  const progress = createRoomProgress();
  const backlog = createRoomBacklog();
  const figures = {
    arrived: 0,
    late: 0,
    mostLate: undefined as number | undefined,
    leastLate: undefined as number | undefined,
    refusedLong: 0,
    givenUp: 0,
  };
  /** Events that were refused lately, in the order of their first refusal. */
  const refused = new Map<string, { readonly since: number; readonly receivedAt: number; times: number }>();
  const said = new Map<string, { at: number; more: number }>();

  /** An event was kept for the first time. `receivedAt`: ms since the epoch. */
  function kept(event: LiveKitEvent, receivedAt: number): void {
    // The time that we refused it is not LiveKit's lateness.
    const first = refused.get(event.id)?.receivedAt ?? receivedAt;
    refused.delete(event.id);
    figures.arrived++;
    if (event.createdAt !== undefined) {
      noteLateness(event, first - event.createdAt * 1000);
      noteBacklog(event, receivedAt - event.createdAt * 1000);
    }
    const gap = progress.note(event);
    if (gap === undefined) return;
    warn("gap", { event: event.id, room: event.roomName, room_sid: event.roomSid, missing: gap }, GAP);
  }

  function noteLateness(event: LiveKitEvent, ms: number): void {
    measures?.lateness.add(ms / 1000);
    figures.mostLate = Math.max(figures.mostLate ?? ms, ms);
    figures.leastLate = Math.min(figures.leastLate ?? ms, ms);
    if (ms > NOISE_MS) figures.late++;
    if (ms > WARN_LATE_MS) warn("late", { event: event.id, room: event.roomName, late_ms: ms }, LATE);
  }

  /** Here the time counts that we refused it: the room's next events waited behind it. */
  function noteBacklog(event: LiveKitEvent, ms: number): void {
    const waiting = backlog.note(event, ms);
    if (ms <= NOISE_MS || waiting <= WARN_WAITING) return;
    warn("backlog", { event: event.id, room: event.roomName, waiting, late_ms: ms }, BACKLOG);
  }

  /** An event could not be kept, and LiveKit was told to send it again. */
  function refuse(event: LiveKitEvent, receivedAt: number): void {
    const now = clock.monotonic();
    forgetOld(now);
    const entry = refused.get(event.id) ?? { since: now, receivedAt, times: 0 };
    entry.times++;
    refused.set(event.id, entry);
    const ms = now - entry.since;
    const fields = { event: event.id, room: event.roomName, refused_ms: ms, refusals: entry.times };
    if (entry.times === LIVEKIT_ATTEMPTS) {
      figures.givenUp++;
      tell("error", "given-up", fields, GIVEN_UP);
    } else if (ms >= WARN_REFUSED_MS) {
      figures.refusedLong++;
      warn("refused", fields, REFUSED);
    }
  }

  function forgetOld(now: number): void {
    for (const [id, { since }] of refused) {
      if (refused.size <= REMEMBERED_EVENTS && now - since < REMEMBERED_MS) break;
      refused.delete(id);
    }
  }

  const warn = (kind: string, fields: object, message: string) => tell("warn", kind, fields, message);

  /** One line of a kind per minute; `more` says how many it stands for. */
  function tell(level: "warn" | "error", kind: string, fields: object, message: string): void {
    const now = clock.monotonic();
    const last = said.get(kind);
    if (last !== undefined && now - last.at < WARN_EVERY_MS) {
      last.more++;
      return;
    }
    said.set(kind, { at: now, more: 0 });
    log[level]({ ...fields, more: last?.more ?? 0 }, message);
  }

  return {
    kept,
    refused: refuse,
    get figures(): Readonly<FreshnessFigures> {
      return { ...figures, ...progress.gaps };
    },
  };
}

const LATE =
  "LiveKit's webhooks arrive late; it drops those of a room that wait for 30 s or are 200 deep. Look for what holds them " +
  "up on the way; or the clocks of the two machines differ";
const BACKLOG =
  "A SIP room's events wait at LiveKit, about as many as it says; LiveKit drops those that are 200 deep, whatever their age. " +
  "Look for what makes each of them slow on the way";
const REFUSED =
  "A SIP event has been refused for a while; LiveKit gives it up after 26 s at most, and drops those behind it after 30 s. " +
  "The lines before say why it cannot be kept";
const GIVEN_UP = "A SIP event was refused as often as LiveKit tries: it is lost";
const GAP = "LiveKit did not deliver all events of a SIP call";
