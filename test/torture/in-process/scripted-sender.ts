import type { Clock } from "../../../src/contracts/clock";
import type { SendRequest, SendResult } from "../../../src/contracts/sender";
import { isJsonObject } from "../../../src/domain/json";

/** One attempt on its way. */
export type Sending = {
  readonly url: string;
  readonly id: string;
  readonly roomSid: string;
  /** Monotonic ms. */
  readonly at: number;
};

/** Attempts wait until they are told what comes of them; past their deadline they fail. */
export class ScriptedSender {
  readonly #clock: Clock;
  readonly #underWay = new Map<Sending, (result: SendResult) => void>();
  /** Told of every attempt as it goes out. */
  onSend: (sending: Sending) => void = () => {};
  /** Told of what comes of it, before the service is. */
  onEnd: (sending: Sending, result: SendResult) => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The oldest first. */
  get underWay(): readonly Sending[] {
    return [...this.#underWay.keys()];
  }

  send = ({ url, headers, body, deadlineMs }: SendRequest): Promise<SendResult> =>
    new Promise((resolve) => {
      const sending = { url, id: headers["webhook-id"] ?? "", roomSid: roomSidIn(body), at: this.#clock.monotonic() };
      const cancel = this.#clock.after(deadlineMs, () => this.answer(sending, DEADLINE));
      this.#underWay.set(sending, (result) => {
        cancel();
        resolve(result);
      });
      this.onSend(sending);
    });

  /** Does nothing when it is not under way any more. */
  answer(sending: Sending, result: SendResult): void {
    const resolve = this.#underWay.get(sending);
    if (resolve === undefined) return;
    this.#underWay.delete(sending);
    this.onEnd(sending, result);
    resolve(result);
  }

  /** The process that sent them is gone. */
  forgetAll(): void {
    this.#underWay.clear();
  }
}

export function answered(status: number, retryAfter?: string): SendResult {
  return { kind: "answered", status, retryAfter, answerStart: new Uint8Array(), durationMs: 5 };
}

export const REFUSED: SendResult = {
  kind: "failed",
  step: "connect",
  code: "ECONNREFUSED",
  message: "connect ECONNREFUSED",
  durationMs: 1,
};

const DEADLINE: SendResult = {
  kind: "failed",
  step: "deadline",
  code: "DEADLINE",
  message: "The deadline passed while waiting for the answer",
  durationMs: 10_000,
};

function roomSidIn(body: Uint8Array): string {
  const json: unknown = JSON.parse(Buffer.from(body).toString());
  if (!isJsonObject(json)) return "";
  const { room, egressInfo } = json;
  if (isJsonObject(room)) return String(room.sid);
  return isJsonObject(egressInfo) ? String(egressInfo.roomId) : "";
}
