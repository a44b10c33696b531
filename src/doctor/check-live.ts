import { judgeFailure } from "../../plugins/room-owner/judge-failure";
import type { Config } from "../../plugins/config-loader";
import type { Secret } from "../domain/secret";
import { sleep, type Clock } from "../contracts/clock";
import type { Service } from "./check-service";
import { ok, problem, warning, type Finding } from "./finding";

export type LiveOptions = {
  readonly livekit: Config["livekit"] & { readonly api_key: string; readonly api_secret: Secret };
  readonly roomPrefix: string;
  readonly service: Service;
  readonly clock: Clock;
  /** How long the webhook is waited for, in milliseconds. */
  readonly patienceMs: number;
};

const POLL_MS = 200;
/** LiveKit drops what is older than 30 s, so that a queue that is late is nearly lost. */
const LATE_MS = 2_000;
/** Should this program end before it deletes the room, LiveKit does. */
const EMPTY_TIMEOUT_S = 30;

/**
 * Makes a room, which LiveKit tells of by `room_started` although nobody joins (seen on livekit-server 1.13.3), and waits until
 * the running service has kept that; then deletes the room. Its two events stay in the list of what went to no hook.
 */
export async function checkLive({
  livekit,
  roomPrefix,
  service,
  clock,
  patienceMs,
}: LiveOptions): Promise<readonly Finding[]> {
  const { RoomServiceClient } = await import("livekit-server-sdk");
  const rooms = new RoomServiceClient(livekit.url, livekit.api_key, livekit.api_secret.reveal(), { failover: false });
  const room = `${roomPrefix}doctor-${crypto.randomUUID().slice(0, 8)}`;
  const startedAt = clock.now();
  try {
    await rooms.createRoom({ name: room, emptyTimeout: EMPTY_TIMEOUT_S });
  } catch (error) {
    return [roomNotMade(room, reasonOf(error))];
  }
  const findings = [await waitForIt()];
  try {
    await rooms.deleteRoom(room);
  } catch (error) {
    findings.push(
      warning("live", "room_not_deleted", {
        what: `The room ${room} could not be deleted: ${reasonOf(error)}.`,
        why: `It is empty; LiveKit removes it after ${EMPTY_TIMEOUT_S} s.`,
        mend: `lk room delete ${room}`,
      }),
    );
  }
  return findings;

  async function waitForIt(): Promise<Finding> {
    const until = clock.monotonic() + patienceMs;
    const began = clock.monotonic();
    while (clock.monotonic() < until) {
      const receivedAt = await findRoomStarted(service, room);
      const waited = clock.monotonic() - began;
      // The service may be on another machine, with a clock of its own: it was no later than we have seen it.
      if (receivedAt !== undefined)
        return judgeLateness(Math.round(Math.min(Math.max(receivedAt - startedAt, 0), waited)));
      await sleep(clock, POLL_MS);
    }
    return noWebhook({ room, apiKey: livekit.api_key, url: service.url, seconds: patienceMs / 1000 });
  }
}

type CallList = { readonly calls: readonly { readonly room_sid: string }[] };
type OneCall = {
  readonly call: { readonly events: readonly { readonly event: string; readonly received_at: string }[] };
};

/** When the service took the room's `room_started`; ms since the epoch. */
async function findRoomStarted(service: Service, room: string): Promise<number | undefined> {
  const { calls } = await service.get<CallList>("/sip/calls", { room });
  const [call] = calls;
  if (call === undefined) return undefined;
  const { call: found } = await service.get<OneCall>(`/sip/calls/${encodeURIComponent(call.room_sid)}`);
  const started = found.events.find(({ event }) => event === "room_started");
  return started === undefined ? undefined : Date.parse(started.received_at);
}

function judgeLateness(lateMs: number): Finding {
  if (lateMs < LATE_MS) {
    return ok(
      "live",
      "webhooks_arrive",
      `LiveKit's webhooks come here: room_started did ${lateMs} ms after the room was made.`,
    );
  }
  return warning("live", "webhooks_late", {
    what: `LiveKit's webhooks come here, but late: room_started did ${(lateMs / 1000).toFixed(1)} s after the room was made.`,
    why: "LiveKit drops those that are 30 s late; and it sends a room's next one only when the one before was answered.",
    mend: "Look for refusals in the service's log (A SIP event could not be kept), and at the way between LiveKit and here.",
  });
}

type Missing = { readonly room: string; readonly apiKey: string; readonly url: string; readonly seconds: number };

const noWebhook = ({ room, apiKey, url, seconds }: Missing): Finding =>
  problem("live", "no_webhook", {
    what: `LiveKit made the room ${room}, and its room_started has not come to ${url} within ${seconds} s.`,
    why: "Without LiveKit's webhooks no event of any call gets here.",
    mend:
      `In LiveKit's configuration: webhook: {api_key: ${apiKey}, urls: [https://THIS-SERVICE/livekit/webhook]}; then restart it. ` +
      'If the service\'s log says "LiveKit webhook refused", they come, and are signed with another key or by another clock.',
  });

const roomNotMade = (room: string, reason: string): Finding =>
  problem("live", "room_not_made", {
    what: `LiveKit does not make the room ${room}: ${reason}.`,
    why: "A call's room could not be made either.",
    mend: "Look into LiveKit's log; whether it has a node that takes rooms is told by: lk room create test",
  });

function reasonOf(error: unknown): string {
  const failure = judgeFailure(error);
  return failure.kind === "gone" ? "it says that there is no such thing" : failure.reason;
}
