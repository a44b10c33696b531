import type { Clock } from "../../../src/contracts/clock";
import type { SendRequest, Sender, SendResult } from "../../../src/contracts/sender";

/**
 * One life of a process that is played in this one. When it ends, as by `kill -9`, nothing of it does anything any more:
 * its timers do not run, its storage and its sender never answer.
 */
export class Life {
  readonly ended: Promise<"ended">;
  #end: (ended: "ended") => void = () => {};
  #over = false;
  /** Calls of the storage until the life ends of itself; before that one is made, or after it. */
  #fuse: { calls: number; when: "before" | "after" } | undefined;

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  get over(): boolean {
    return this.#over;
  }

  end(): void {
    this.#over = true;
    this.#end("ended");
  }

  /** Ends the life at a call of the storage: the first one with 0, the second one with 1, … */
  endAt(calls: number, when: "before" | "after"): void {
    this.#fuse = { calls, when };
  }

  /** It goes on after all, when it has not ended. */
  goOn(): void {
    this.#fuse = undefined;
  }

  clock(clock: Clock): Clock {
    return {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      after: (ms, run) => clock.after(ms, () => (this.#over ? undefined : run())),
    };
  }

  sender(send: (request: SendRequest) => Promise<SendResult>): Sender {
    return { send: (request) => (this.#over ? never() : send(request)), close: () => {} };
  }

  /** The same object, whose methods hang when the life is over. */
  storage<Storage extends object>(storage: Storage): Storage {
    return new Proxy(storage, {
      get: (target, name): unknown => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return (...args: unknown[]): unknown => this.#call(() => Reflect.apply(member, target, args));
      },
    });
  }

  async #call(call: () => unknown): Promise<unknown> {
    const fuse = this.#fuse;
    const burns = fuse !== undefined && fuse.calls-- === 0;
    if (burns && fuse.when === "before") this.end();
    if (this.#over) return never();
    try {
      return await call();
    } finally {
      if (burns) this.end();
      // An error of a database that was closed meanwhile is nobody's any more either.
      if (this.#over) await never();
    }
  }
}

const never = (): Promise<never> => new Promise(() => {});
