import type { Narrator } from "./narrator";
import type { Answered } from "./play-call";
import { TENANTS, type RecordedCall } from "./recorded-calls";
import type { LogLine } from "./server-process";
import type { Received } from "./tenant-server";

/** Keeps what happens in a run, and has it told. */
export class Observations {
  readonly answered: Answered[] = [];
  /** In the order of their arrival. */
  readonly received: Received[] = [];
  /** Attempts that failed, as the server's log tells. */
  refusals = 0;
  readonly #calls: readonly RecordedCall[];
  readonly #narrator: Narrator;
  /** Told when the answer to LiveKit has been: both come within a millisecond, and in either order. */
  readonly #untold = new Map<string, () => void>();

  constructor(calls: readonly RecordedCall[], narrator: Narrator) {
    this.#calls = calls;
    this.#narrator = narrator;
  }

  readonly onAnswer = (answered: Answered): void => {
    this.answered.push(answered);
    this.#narrator.answered(answered);
    this.#untold.get(answered.event.id)?.();
    this.#untold.delete(answered.event.id);
  };

  readonly onReceived = (received: Received): void => {
    this.received.push(received);
    const call = this.#calls.find(({ events }) => events.some(({ id }) => id === received.id));
    const ids = new Set(call?.events.map(({ id }) => id));
    const count = this.received.filter(({ id, tenant }) => ids.has(id) && tenant === received.tenant).length;
    const name = call?.events.find(({ id }) => id === received.id)?.name ?? received.id;
    const place = call === undefined ? "of no call" : `event ${count} of ${ids.size}`;
    const tell = (): void => this.#narrator.received(received, name, place);
    if (call === undefined || this.answered.some(({ event }) => event.id === received.id)) tell();
    else this.#untold.set(received.id, tell);
  };

  readonly onLogLine = (line: LogLine): void => {
    if (line.msg !== "Not delivered yet") return;
    this.refusals++;
    const tenant = TENANTS.find((name) => line["host"] === `${name}.example.com`);
    if (tenant !== undefined) this.#narrator.refused(tenant, line);
  };

  /** Whether all events of these calls have come. */
  haveAll(calls: readonly RecordedCall[]): boolean {
    const ids = new Set(this.received.map(({ id }) => id));
    return calls.every(({ events }) => events.every(({ id }) => ids.has(id)));
  }
}
