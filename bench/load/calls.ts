import { createHash } from "node:crypto";
import { livekitToken } from "../../test/support/livekit-token";
import { recordedWebhooks } from "../../test/support/recordings";

/** A webhook ready to be written to a connection. */
export type Request = {
  readonly id: string;
  readonly bytes: Uint8Array;
  /** The event that tells whose call it is, where that is a later one: before it no gateway can know the hook. */
  readonly decidedBy?: string;
};

/**
 * The events of a recorded call, ten bodies of 547 to 1,355 bytes, as those of another call: with a room, participants and
 * event ids of its own, to this host.
 */
const RECORDED = recordedWebhooks("answered-call").map(({ body }) => body);
const RECORDED_HOST = "tenant-a.example.com";
const RECORDED_IDS = /\b(RM|PA|TR|EV|SCL)_([A-Za-z0-9]+)/g;
const ROOM_NAME = /sip-_\+15550100_[A-Za-z0-9]+/g;

export const EVENTS_PER_CALL = RECORDED.length;

export type CallEvent = Omit<Request, "bytes"> & { readonly body: string };

/**
 * The events of one call in LiveKit's order.
 *
 * @param call names it; the same name makes the same ids.
 */
export function eventsOfCall(call: string, host: string): readonly CallEvent[] {
  const events = RECORDED.map((recorded) => {
    const body = recorded
      .replace(RECORDED_IDS, (_, kind: string, rest: string) => `${kind}_${digest(`${call}/${rest}`)}`)
      .replace(ROOM_NAME, `sip-_+15550100_${call}`)
      .replaceAll(RECORDED_HOST, host);
    return { id: /"id":"(EV_[^"]+)"/.exec(body)?.[1] ?? "", body };
  });
  const [started, joined, ...rest] = events;
  if (started === undefined || joined === undefined) throw new Error("the recorded call is not whole");
  return [{ ...started, decidedBy: joined.id }, joined, ...rest];
}

/** 12 letters and digits, as random as LiveKit's: an index of ids is not written at its end only. */
const digest = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 12);

/** An HTTP request as LiveKit sends it, token included. */
export function toRequest({ body, ...event }: CallEvent): Request {
  const head =
    "POST /livekit/webhook HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/webhook+json\r\n" +
    `Authorization: ${livekitToken(body)}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  return { ...event, bytes: Buffer.from(head + body) };
}

/**
 * Requests of many calls, of which `atOnce` are under way at a time: one event of each in turn, and the next call where one
 * has ended.
 */
export function* interleavedCalls(options: {
  readonly hosts: readonly string[];
  readonly atOnce: number;
  readonly prefix: string;
}): Generator<Request, never> {
  const { hosts, atOnce, prefix } = options;
  let begun = 0;
  const begin = () => {
    const n = begun++;
    return eventsOfCall(`${prefix}${n}`, hosts[n % hosts.length] ?? RECORDED_HOST)[Symbol.iterator]();
  };
  const open: Iterator<CallEvent>[] = [];
  for (let turn = 0; ; turn++) {
    const i = turn % atOnce;
    // They begin in turn, so that they are not all at the same event.
    if (turn < atOnce * EVENTS_PER_CALL && Math.floor(turn / atOnce) < i % EVENTS_PER_CALL) continue;
    let event = open[i]?.next();
    if (event === undefined || event.done === true) {
      const call = begin();
      open[i] = call;
      event = call.next();
    }
    if (event.done !== true) yield toRequest(event.value);
  }
}
