import type { SQL } from "bun";
import type { Clock } from "../../../src/contracts/clock";
import type { Logger } from "../../../src/contracts/logger";
import { hookIdFrom, type HookId } from "../../../src/domain/ids";
import type { Database } from "./database";

export type NoticesOptions = {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
};

/** What another instance tells. */
export type Notice = { readonly kind: "work"; readonly hooks: readonly HookId[] } | { readonly kind: "hooks" };

const CHANNEL = "sayna_sip";
/**
 * So long this instance has for taking what it has made itself. Then the others are told of what is still there, all of it
 * at once: they are needed only when this one cannot send, and a NOTIFY makes commits follow each other.
 */
const OWN_TURN_MS = 50;
/** A payload has 8,000 bytes at most. */
const HOOKS_PER_NOTICE = 200;

/**
 * What the instances tell each other by LISTEN and NOTIFY. A notice may be lost (a connection that is made anew): whoever
 * listens looks now and then by itself, too.
 */
export class Notices {
  readonly #options: NoticesOptions;
  /** Tells our own notices from the others'. */
  readonly #sender = Bun.randomUUIDv7();
  readonly #untaken = new Set<HookId>();
  #cancelTelling = () => {};
  #telling = false;
  #closed = false;

  constructor(options: NoticesOptions) {
    this.#options = options;
  }

  async listen(sql: SQL, on: (notice: Notice) => void): Promise<() => Promise<void>> {
    const subscription = await sql.listen(CHANNEL, (payload) => {
      const notice = this.#read(payload);
      if (notice !== undefined) on(notice);
    });
    return () => subscription.unlisten();
  }

  /** There is something new to send for these hooks. */
  work(hooks: Iterable<HookId>): void {
    for (const hook of hooks) this.#untaken.add(hook);
    if (this.#untaken.size === 0 || this.#telling || this.#closed) return;
    this.#telling = true;
    this.#cancelTelling = this.#options.clock.after(OWN_TURN_MS, () => void this.#tell());
  }

  /** This instance has taken what there is for the hook. */
  taken(hook: HookId): void {
    this.#untaken.delete(hook);
  }

  /** The hooks were changed, or paused, or resumed. */
  async hooksChanged(): Promise<void> {
    await this.#notify({ kind: "hooks" }).catch((error: unknown) => this.#logUntold(error));
  }

  close(): void {
    this.#closed = true;
    this.#cancelTelling();
  }

  async #tell(): Promise<void> {
    const hooks = [...this.#untaken];
    this.#untaken.clear();
    try {
      for (let from = 0; from < hooks.length; from += HOOKS_PER_NOTICE) {
        await this.#notify({ kind: "work", hooks: hooks.slice(from, from + HOOKS_PER_NOTICE) });
      }
    } catch (error) {
      this.#logUntold(error);
    }
    this.#telling = false;
    this.work([]);
  }

  async #notify(notice: Notice): Promise<void> {
    const { database } = this.#options;
    await database.transaction(async (tx) => {
      // Nothing is lost with it, so that nothing waits for the disk.
      await tx.unsafe("set local synchronous_commit = off");
      await tx.unsafe("select pg_notify($1, $2)", [CHANNEL, JSON.stringify({ from: this.#sender, ...notice })]);
    });
  }

  #logUntold(error: unknown): void {
    // Fails open because the others look by themselves every second.
    if (!this.#closed)
      this.#options.log.warn({ err: error }, "Other instances could not be told that there is something to do");
  }

  #read(payload: string): Notice | undefined {
    try {
      const { from, kind, hooks } = JSON.parse(payload) as { from?: unknown; kind?: unknown; hooks?: unknown };
      if (from === this.#sender) return undefined;
      if (kind === "hooks") return { kind };
      if (kind !== "work" || !Array.isArray(hooks)) return undefined;
      return { kind, hooks: hooks.map(String).map(hookIdFrom) };
    } catch {
      // Somebody else's: the channel is open to everybody who may connect.
      return undefined;
    }
  }
}
