import { isJsonObject } from "../../src/domain/json";
import type { ReceivedRequest } from "../support/received-request";
import type { Answer, TlsReceiver } from "../support/tls-receiver";

/** One request as its receiver saw it. Times are ms since the epoch. */
export type Seen = {
  readonly id: string;
  readonly tenant: string;
  readonly roomSid: string;
  /** Which life of the sending process it came from. */
  readonly life: number;
  readonly at: number;
  /** When the answer was written, and what it said; undefined while it is under way. */
  answeredAt: number | undefined;
  status: number | undefined;
};

type Respond = (request: ReceivedRequest, nth: number) => Promise<Exclude<Answer, string> & { status?: number }>;

/** What receivers saw: every request, when it was under way, and what it was answered. */
export class DeliveryRecord {
  readonly seen: Seen[] = [];
  readonly #ends: { readonly at: number; readonly workedAt: number }[] = [];
  readonly #delivered = new Set<string>();
  readonly #timesSeen = new Map<string, number>();
  #underWay = 0;
  readonly #stopped: boolean;

  /**
   * @param options `stopped`: the process is stopped for seconds, not killed, and what it had begun may be seen when it goes
   *   on: the second that is in an attempt's `webhook-timestamp` says to which life it belongs.
   */
  constructor({ stopped = false } = {}) {
    this.#stopped = stopped;
  }

  /** Records what comes to this receiver. `nth` counts the requests with one webhook-id, from 0. */
  watch(tenant: string, receiver: TlsReceiver, respond: Respond): void {
    receiver.respondWith(async (request) => {
      const id = request.header("webhook-id") ?? "";
      const key = `${tenant} ${id}`;
      const nth = this.#timesSeen.get(key) ?? 0;
      this.#timesSeen.set(key, nth + 1);
      const roomSid = roomSidIn(request.body);
      const seen: Seen = {
        id,
        tenant,
        roomSid,
        life: this.#lifeOf(request),
        at: request.at,
        answeredAt: undefined,
        status: undefined,
      };
      this.seen.push(seen);
      this.#underWay++;
      const answer = await respond(request, nth);
      this.#underWay--;
      seen.status = answer.status ?? 200;
      seen.answeredAt = Date.now();
      if (seen.status < 300) this.#delivered.add(key);
      return answer;
    });
  }

  #lifeOf(request: ReceivedRequest): number {
    const lives = this.#ends.length;
    const began = Number(request.header("webhook-timestamp")) * 1000;
    return this.#stopped && began <= (this.#ends.at(-1)?.at ?? 0) ? lives - 1 : lives;
  }

  /** Requests that are under way now. */
  get underWay(): number {
    return this.#underWay;
  }

  /** True when this tenant answered this event with a 2xx. */
  hasDelivered(tenant: string, id: string): boolean {
    return this.#delivered.has(`${tenant} ${id}`);
  }

  /**
   * The process was killed (or stopped) at `at`; what comes from now on is from its next life.
   *
   * @param workedAt when it is known to have been at work for the last time: something that was sent to it then has been
   *   acknowledged. A disk that stands still, or the whole machine, holds up outcomes as well.
   */
  processEnded(at: number, workedAt = at): void {
    this.#ends.push({ at, workedAt });
  }

  /** The requests of each lane (tenant and room), in their order. */
  lanes(): readonly (readonly Seen[])[] {
    return [...Map.groupBy(this.seen, ({ tenant, roomSid }) => `${tenant} ${roomSid}`).values()];
  }

  /** Lanes whose events did not come for the first time in the order of their numbers (`EV_<call>_<n>`). */
  outOfOrder(): string[] {
    return this.lanes().flatMap((lane) => {
      const ids = [...new Set(lane.map(({ id }) => id))];
      const sorted = ids.toSorted((a, b) => numberOf(a) - numberOf(b));
      return ids.every((id, i) => id === sorted[i]) ? [] : [`${lane[0]?.tenant}: ${ids.join(" ")}`];
    });
  }

  /**
   * Requests of one lane that came while the one before it was under way, in the same life of the process: one that was
   * killed leaves requests behind. `acrossLives` for a process that was only stopped.
   */
  overlaps({ acrossLives = false } = {}): string[] {
    return this.lanes().flatMap((lane) =>
      lane.flatMap((seen, i) => {
        const before = lane[i - 1];
        if (before === undefined || (before.life !== seen.life && !acrossLives)) return [];
        const ended = before.answeredAt ?? Infinity;
        return seen.at < ended ? [`${seen.tenant} got ${seen.id} while ${before.id} was under way`] : [];
      }),
    );
  }

  /**
   * Requests for what the tenant had already answered with a 2xx, or was about to.
   *
   * `underWay`: the answer had not been written when the process was killed. `unwritten`: it had, at most `settleMs`
   * before the process was known to work: it may have died before the outcome was on disk. Both are allowed; `others` are
   * not. `mostUnwritten`: at one end of the process.
   */
  duplicates(settleMs: number) {
    const found = { underWay: 0, unwritten: 0, mostUnwritten: 0, longestMs: 0, others: [] as string[] };
    const unwrittenAt = new Map<number, number>();
    for (const requests of Map.groupBy(this.seen, ({ tenant, id }) => `${tenant} ${id}`).values()) {
      for (const [i, seen] of requests.entries()) {
        const before = requests[i - 1];
        if (before === undefined) continue;
        const end = seen.life === before.life ? undefined : this.#ends[before.life];
        const wasUnderWay = end !== undefined && (before.answeredAt ?? Infinity) >= end.at;
        if (wasUnderWay) found.underWay++;
        else if (before.status !== undefined && before.status >= 300) continue;
        else if (end === undefined || before.answeredAt === undefined || end.workedAt - before.answeredAt > settleMs) {
          found.others.push(
            `${seen.tenant} got ${seen.id} again ${seen.at - (before.answeredAt ?? seen.at)} ms after its answer`,
          );
        } else {
          found.unwritten++;
          const atThisEnd = (unwrittenAt.get(before.life) ?? 0) + 1;
          unwrittenAt.set(before.life, atThisEnd);
          found.mostUnwritten = Math.max(found.mostUnwritten, atThisEnd);
          found.longestMs = Math.max(found.longestMs, end.at - before.answeredAt);
        }
      }
    }
    return found;
  }
}

const numberOf = (id: string): number => Number(id.slice(id.lastIndexOf("_") + 1));

function roomSidIn(body: Buffer): string {
  const json: unknown = JSON.parse(body.toString());
  return isJsonObject(json) && isJsonObject(json.room) ? String(json.room.sid) : "";
}
