import { sleep, type Clock } from "../../../src/contracts/clock";
import type { SendRequest, SendResult } from "../../../src/contracts/sender";
import { isJsonObject } from "../../../src/domain/json";

/** One attempt as its endpoint saw it. Times are monotonic ms. */
export type Attempt = {
  readonly tenant: string;
  readonly id: string;
  readonly roomSid: string;
  readonly at: number;
  /** Undefined while it is under way. */
  endedAt: number | undefined;
  ok: boolean;
  /** Its process was killed meanwhile. */
  cut: boolean;
};

/** How an endpoint answers, and after how long. */
export type EndpointAnswer = { readonly result: SendResult; readonly ms: number };

/** Endpoints that answer by themselves; what they saw is kept. The tenant is the first label of a hook's URL. */
export class Endpoints {
  readonly attempts: Attempt[] = [];
  readonly #clock: Clock;
  readonly #answer: (attempt: Attempt, nth: number) => EndpointAnswer;
  readonly #times = new Map<string, number>();

  /** @param answer `nth` counts the attempts for one event, from 0. */
  constructor(clock: Clock, answer: (attempt: Attempt, nth: number) => EndpointAnswer) {
    this.#clock = clock;
    this.#answer = answer;
  }

  send = async ({ url, headers, body }: SendRequest): Promise<SendResult> => {
    const json: unknown = JSON.parse(Buffer.from(body).toString());
    const roomSid = isJsonObject(json) && isJsonObject(json.room) ? String(json.room.sid) : "";
    const tenant = new URL(url).hostname.split(".")[0] ?? "";
    const id = headers["webhook-id"] ?? "";
    const attempt: Attempt = {
      tenant,
      id,
      roomSid,
      at: this.#clock.monotonic(),
      endedAt: undefined,
      ok: false,
      cut: false,
    };
    this.attempts.push(attempt);
    const nth = this.#times.get(`${tenant} ${id}`) ?? 0;
    this.#times.set(`${tenant} ${id}`, nth + 1);
    const { result, ms } = this.#answer(attempt, nth);
    await sleep(this.#clock, ms);
    if (attempt.endedAt !== undefined) return result;
    attempt.endedAt = this.#clock.monotonic();
    attempt.ok = result.kind === "answered" && result.status < 300;
    return result;
  };

  /** The process that made them was killed: what is under way ends here. */
  processKilled(): void {
    for (const attempt of this.attempts) {
      if (attempt.endedAt !== undefined) continue;
      attempt.endedAt = this.#clock.monotonic();
      attempt.cut = true;
    }
  }

  of(tenant: string): readonly Attempt[] {
    return this.attempts.filter((attempt) => attempt.tenant === tenant);
  }

  /** When each event was first answered with a 2xx at this tenant. */
  delivered(tenant: string): ReadonlyMap<string, number> {
    const delivered = new Map<string, number>();
    for (const { id, ok, endedAt = 0 } of this.of(tenant)) if (ok && !delivered.has(id)) delivered.set(id, endedAt);
    return delivered;
  }

  /** The most attempts of this tenant that were under way at a time, of those that began in this span. */
  mostAtOnce(tenant: string, from = 0, to = Infinity): number {
    const attempts = this.of(tenant).filter(({ at }) => at >= from && at < to);
    return Math.max(
      0,
      ...attempts.map(({ at }) => attempts.filter((a) => a.at <= at && (a.endedAt ?? a.at) > at).length),
    );
  }

  /** The most attempts of this tenant that began within one second of this span. */
  mostInASecond(tenant: string, from = 0, to = Infinity): number {
    const times = this.of(tenant)
      .map(({ at }) => at)
      .filter((at) => at >= from && at < to);
    let first = 0;
    let most = 0;
    for (const [i, at] of times.entries()) {
      while (at - (times[first] ?? at) >= 1000) first++;
      most = Math.max(most, i - first + 1);
    }
    return most;
  }

  /** Attempts that began while another one of their lane was under way. */
  overlaps(): string[] {
    const lanes = Map.groupBy(this.attempts, ({ tenant, roomSid }) => `${tenant} ${roomSid}`);
    return [...lanes.values()].flatMap((lane) =>
      lane.flatMap((attempt, i) => {
        const before = lane[i - 1];
        return before !== undefined && before.endedAt !== undefined && before.endedAt > attempt.at
          ? [`${attempt.id} while ${before.id} was under way`]
          : [];
      }),
    );
  }

  /** Lanes whose events (`EV_<call>_<n>`) did not come for the first time in the order of their numbers. */
  outOfOrder(): string[] {
    const number = (id: string) => Number(id.slice(id.lastIndexOf("_") + 1));
    const lanes = Map.groupBy(this.attempts, ({ tenant, roomSid }) => `${tenant} ${roomSid}`);
    return [...lanes.values()].flatMap((lane) => {
      const ids = [...new Set(lane.map(({ id }) => id))];
      const sorted = ids.toSorted((a, b) => number(a) - number(b));
      return ids.every((id, i) => id === sorted[i]) ? [] : [ids.join(" ")];
    });
  }
}
