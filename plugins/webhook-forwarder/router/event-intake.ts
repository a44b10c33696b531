import type { Clock } from "../../../src/contracts/clock";
import type { Current } from "../../../src/contracts/current";
import type { Logger } from "../../../src/contracts/logger";
import { newMeasures, type Measures } from "../../../src/contracts/measures";
import type { CommitResult, IncomingEvent, OwnerTask, Storage } from "../../../src/contracts/storage";
import type { Tracing } from "../../../src/contracts/tracing";
import { HELD_MS } from "../../../src/domain/call";
import { AppError } from "../../../src/domain/errors";
import type { HookId } from "../../../src/domain/ids";
import type { JsonObject } from "../../../src/domain/json";
import { readLiveKitEvent, type LiveKitEvent } from "../../../src/domain/livekit-event";
import type { Match } from "../../../src/domain/routing";
import type { HookRegistry } from "../../hooks-store/hook-registry";
import { groupCalls } from "../group-calls";
import { createFreshness } from "./freshness";
import { matchParticipant, type MatchOptions } from "./match-participant";
import { createRefusalCounter } from "./refusal-counter";
import { createRoomTurns } from "./room-turns";
import { traceWebhook, type WebhookTrace } from "./trace-webhook";

export type EventIntakeOptions = {
  readonly matching: Current<MatchOptions>;
  readonly roomPrefix: string;
  readonly registry: HookRegistry;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: Logger;
  readonly measures?: Measures;
  readonly tracing?: Tracing | undefined;
  /** Hooks have something new to send. */
  readonly onDeliveries: (hooks: readonly HookId[]) => void;
  readonly onOwnerTask: (task: OwnerTask) => void;
  readonly onRoomFinished: (event: LiveKitEvent) => void;
};

export type Webhook = {
  readonly json: JsonObject;
  readonly body: Uint8Array;
  readonly contentType: string;
  /** By which the webhook's request is found in the log. */
  readonly requestId?: () => string;
  readonly traceparent?: string | undefined;
};

type Keeping = {
  readonly event: LiveKitEvent;
  readonly body: Uint8Array;
  readonly receivedAt: number;
  readonly requestId: (() => string) | undefined;
  readonly trace: WebhookTrace | undefined;
};

/** What became of a webhook that was answered 200. */
export type Taken = "kept" | "duplicate" | "notSip" | "noHooks";

export type EventIntake = ReturnType<typeof createEventIntake>;

/** Bodies that wait for a matcher or their commit; more are refused, so that a stuck disk does not fill the memory. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
const UNMATCHED_SWEEP_MS = 1_000;

/** Takes verified webhooks: reads, routes, commits. When `take` returns, the event is on disk. */
export function createEventIntake(options: EventIntakeOptions) {
  const { roomPrefix, registry, storage, clock, log, measures = newMeasures(), tracing } = options;
  const commit = groupCalls(commitAll);
  const turns = createRoomTurns();
  const refusals = createRefusalCounter(clock);
  const freshness = createFreshness({ clock, log, measures });
  const counts = { kept: 0, duplicate: 0, notSip: 0, noHooks: 0, refused: 0 };
  let waitingBytes = 0;
  let cancelSweep = () => {};

  /**
   * @throws AppError `not_kept` (503) with a `Retry-After` that grows with each refusal of the same event: LiveKit then
   *   tries for 26 s; without the header it gives up after 15 s.
   */
  async function take({ json, body, contentType, requestId, traceparent }: Webhook): Promise<Taken> {
    const event = readLiveKitEvent(json, body);
    const { roomName } = event;
    if (roomName === undefined || !roomName.startsWith(roomPrefix)) {
      counts.notSip++;
      return "notSip";
    }
    if (registry.table.size === 0) {
      counts.noHooks++;
      return "noHooks";
    }
    const receivedAt = clock.now();
    let match: Match | undefined;
    const trace = traceWebhook(tracing, clock, event, { receivedAt, traceparent });
    const result = await keep({ event, body, receivedAt, requestId, trace }, () =>
      turns.take(roomName, matchParticipant(event, registry.table, options.matching()), (found) => {
        match = found;
        trace?.commits();
        return commit({ event, contentType, body, receivedAt, match });
      }),
    );
    trace?.end(result.kind);
    counts[result.kind]++;
    if (result.kind === "kept") freshness.kept(event, receivedAt);
    report(event, match, result);
    return result.kind;
  }

  async function commitAll(events: readonly IncomingEvent[]): Promise<readonly CommitResult[]> {
    const begun = clock.monotonic();
    measures.commitEvents.add(events.length);
    try {
      return await storage.commit(events, registry.planDelivery);
    } catch (error) {
      measures.commitFailures++;
      throw error;
    } finally {
      measures.commit.add((clock.monotonic() - begun) / 1000);
    }
  }

  async function keep(
    { event, body, receivedAt, requestId, trace }: Keeping,
    run: () => Promise<CommitResult>,
  ): Promise<CommitResult> {
    try {
      if (waitingBytes + body.length > MAX_WAITING_BYTES) throw new Error("too many events wait for the disk");
      waitingBytes += body.length;
      try {
        return await run();
      } finally {
        waitingBytes -= body.length;
      }
    } catch (error) {
      // Fails closed because an answer of 200 would promise what is not on disk; LiveKit sends the event again.
      counts.refused++;
      const retryAfter = refusals.next(event.id);
      log.error(
        { err: error, request_id: requestId?.(), ...callFields(event), retry_after: retryAfter },
        "A SIP event could not be kept",
      );
      freshness.refused(event, receivedAt);
      trace?.end("refused");
      throw new AppError("not_kept", { headers: { "retry-after": String(retryAfter) } });
    }
  }

  function report(event: LiveKitEvent, match: Match | undefined, result: CommitResult): void {
    if (result.kind === "duplicate") return;
    if (result.hooks.length > 0) options.onDeliveries(result.hooks);
    if (result.ownerTask !== undefined) options.onOwnerTask(result.ownerTask);
    if (event.name === "room_finished") options.onRoomFinished(event);
    if (result.unmatchedParticipant && result.held) {
      measures.unmatchedParticipants++;
      log.warn(
        { ...callFields(event), host: match?.host ?? null },
        "No SIP hook matches the called host; the event is kept",
      );
    }
  }

  async function sweep(): Promise<void> {
    try {
      for (const call of await storage.listUnmatched(clock.now() - HELD_MS)) {
        measures.unmatchedEvents += call.events;
        log.warn(
          { room: call.roomName, room_sid: call.roomSid, events: call.events },
          "SIP events without a hook are listed as unmatched; they go out when the call gets a hook",
        );
      }
    } catch (error) {
      // Fails open because the events stay held, and the next sweep lists them.
      log.error({ err: error }, "Unmatched SIP events could not be listed");
    }
    cancelSweep = clock.after(UNMATCHED_SWEEP_MS, () => void sweep());
  }

  return {
    take,
    counts: counts as Readonly<typeof counts>,
    /** How late LiveKit's webhooks come, and what is missing of them. */
    freshness: () => freshness.figures,
    start: () => {
      cancelSweep = clock.after(UNMATCHED_SWEEP_MS, () => void sweep());
    },
    stop: () => cancelSweep(),
  };
}

const callFields = ({ id, roomName, roomSid }: LiveKitEvent) => ({ event: id, room: roomName, room_sid: roomSid });
