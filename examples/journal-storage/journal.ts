import type { PlanDelivery } from "sayna-sip";
import type { LineLog } from "./line-log";
import { operations, type Operations, type Plans } from "./operations";
import { emptyState, type State } from "./state";

type Arguments<Name extends keyof Operations> =
  Parameters<Operations[Name]> extends [State, ...infer Rest] ? Rest : never;
type AnyOperation = (state: State, ...args: readonly unknown[]) => unknown;
type Call = readonly [name: keyof Operations, ...args: unknown[]];

/** Changes the state, within a transaction. */
export type Write = <Name extends keyof Operations>(
  name: Name,
  ...args: Arguments<Name>
) => ReturnType<Operations[Name]>;

/**
 * A log with a line for each transaction: its operations, and what they were given. Opening it runs them again, so the state
 * is what it was after the last line.
 */
export class Journal {
  readonly #log: LineLog;
  #state: State = emptyState();
  #last: Promise<unknown> = Promise.resolve();

  private constructor(log: LineLog) {
    this.#log = log;
  }

  static async open(log: LineLog): Promise<Journal> {
    const journal = new Journal(log);
    await journal.#read();
    return journal;
  }

  get state(): State {
    return this.#state;
  }

  /**
   * One transaction after the other. When the promise is fulfilled the change is on disk; when it is rejected nothing is changed.
   */
  transact<Result>(work: (write: Write, state: State) => Result | Promise<Result>): Promise<Result> {
    const done = this.#last.then(() => this.#run(work));
    this.#last = done.catch(() => {});
    return done;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#log.close();
  }

  async #run<Result>(work: (write: Write, state: State) => Result | Promise<Result>): Promise<Result> {
    const calls: Call[] = [];
    const write: Write = (name, ...args) => {
      calls.push([name, ...args]);
      return (operations[name] as AnyOperation)(this.#state, ...args) as ReturnType<Operations[typeof name]>;
    };
    try {
      const result = await work(write, this.#state);
      // After they ran: by then the plans that they asked for have been recorded.
      if (calls.length > 0) await this.#log.append(JSON.stringify(calls, toJson));
      return result;
    } catch (error) {
      // Half of it may have been done in memory.
      await this.#read();
      throw error;
    }
  }

  async #read(): Promise<void> {
    const state = emptyState();
    for (const line of await this.#log.read()) {
      for (const [name, ...args] of JSON.parse(line, fromJson) as Call[]) {
        (operations[name] as AnyOperation)(state, ...args);
      }
    }
    this.#state = state;
  }
}

/** The plan as it is asked, with its answers for the journal: the same again when it is read. */
export function recorded(plan: PlanDelivery): Plans {
  const answers: Record<string, ReturnType<PlanDelivery>> = {};
  const ask: PlanDelivery = (hook, event) => (answers[`${hook} ${event}`] ??= plan(hook, event));
  return Object.assign(ask, { toJSON: () => answers });
}

const toJson = (_: string, value: unknown): unknown =>
  value instanceof Uint8Array ? { bytes: Buffer.from(value).toString("base64") } : value;

function fromJson(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("bytes" in value) || typeof value.bytes !== "string")
    return value;
  return new Uint8Array(Buffer.from(value.bytes, "base64"));
}
