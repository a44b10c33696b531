import type { Clock } from "../../../src/contracts/clock";
import type { History } from "../../../src/contracts/history";
import type { Logger } from "../../../src/contracts/logger";
import type { RememberedCall } from "../../../src/contracts/matcher";
import type { LiveKitEvent } from "../../../src/domain/livekit-event";
import { createMatcherFailures, type MatcherFailures } from "./matcher-failures";

export type AskingOptions = {
  readonly clock: Clock;
  readonly log: Logger;
  /** For all matchers that are asked about one event, in milliseconds. */
  readonly deadlineMs: number;
  readonly history: Pick<History, "remembered">;
};

/** What all that asks matchers has in common: time, memory, and one count of failures. */
export type Asking = {
  readonly failures: MatcherFailures;
  readonly remembered: (event: LiveKitEvent) => Promise<RememberedCall | undefined>;
  /** Starts the time of one event. */
  startDeadline(): Deadline;
};

export type Deadline = {
  /** The promise's value, or undefined when the time is over first. */
  inTime<T>(promise: PromiseLike<T>): Promise<{ readonly value: T } | undefined>;
  cancel(): void;
};

export function createAsking({ clock, log, deadlineMs, history }: AskingOptions): Asking {
  return {
    failures: createMatcherFailures({ clock, log }),
    async remembered(event) {
      const { call } = await history.remembered(event, clock.now());
      if (call === undefined) return undefined;
      const { roomSid, roomName, hooks, participants } = call.memory;
      // Copies: the storage's own are what it routes by.
      return { roomSid, roomName, hooks: [...hooks], participants: new Map(participants) };
    },
    startDeadline() {
      let cancel = () => {};
      const over = new Promise<undefined>((resolve) => {
        cancel = clock.after(deadlineMs, () => resolve(undefined));
      });
      return {
        inTime: (promise) => Promise.race([Promise.resolve(promise).then((value) => ({ value })), over]),
        cancel: () => cancel(),
      };
    },
  };
}
