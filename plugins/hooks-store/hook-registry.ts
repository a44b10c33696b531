import type { Clock } from "../../src/contracts/clock";
import type { Logger } from "../../src/contracts/logger";
import type { Storage } from "../../src/contracts/storage";
import { AppError } from "../../src/domain/errors";
import { hookId, type Hook, type StoredHook } from "../../src/domain/hook";
import { HookTable } from "../../src/domain/hook-table";
import type { HostPattern } from "../../src/domain/host-pattern";
import type { HookId } from "../../src/domain/ids";
import type { Principal } from "../../src/domain/principal";
import { parseSecretSource } from "../../src/domain/secret";

export type HookRegistryOptions = {
  readonly configHooks: readonly Hook[];
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: Logger;
};

type Change = (current: readonly StoredHook[], table: HookTable) => readonly StoredHook[];

/** The forwarding table in memory, as it is in the storage, and the way to change it. */
export class HookRegistry {
  readonly #options: HookRegistryOptions;
  readonly #paused = new Map<HookId, string>();
  readonly #listeners: ((hooks: readonly HookId[]) => void)[] = [];
  #table: HookTable;
  #lastChange: Promise<void> = Promise.resolve();

  private constructor(options: HookRegistryOptions, runtimeHooks: readonly StoredHook[]) {
    this.#options = options;
    this.#table = new HookTable(options.configHooks, runtimeHooks.map(toHook));
  }

  /**
   * Reads the table from the storage. What is still pending for a hook that is in it no more (taken out of the
   * configuration, or deleted just before a crash) is cancelled.
   */
  static async load(options: HookRegistryOptions): Promise<HookRegistry> {
    const { storage } = options;
    const registry = new HookRegistry(options, await storage.readHooks());
    for (const { hook, reason } of await storage.pausedHooks()) registry.#paused.set(hook, reason);
    const gone = (await storage.waitingHooks()).filter((hook) => !registry.isActive(hook));
    await registry.#cancel(gone);
    return registry;
  }

  get table(): HookTable {
    return this.#table;
  }

  isActive = (hook: HookId): boolean => this.#table.byId(hook) !== undefined;

  isPaused(hook: HookId): boolean {
    return this.#paused.has(hook);
  }

  /** Calls back with hooks that may send again: they were replaced. */
  onChange(listener: (hooks: readonly HookId[]) => void): void {
    this.#listeners.push(listener);
  }

  /**
   * Changes the hooks added at run time, all or nothing; in force for the next event when it returns.
   *
   * @param named hosts whose hooks are resumed if they are paused: replacing a hook, by the same entry too, asks for it
   *   again.
   *
   * @throws AppError what `change` throws, or `hooks_not_saved` when the storage cannot write: nothing is changed then.
   */
  change(caller: Principal, change: Change, named: readonly HostPattern[] = []): Promise<void> {
    // One after the other, so that each one sees the table that the one before it made.
    const done = this.#lastChange.then(() => this.#change(caller, change, named));
    this.#lastChange = done.catch(() => undefined);
    return done;
  }

  async #change(caller: Principal, change: Change, named: readonly HostPattern[]): Promise<void> {
    const { storage, clock, log, configHooks } = this.#options;
    const before = this.#table;
    let after: readonly StoredHook[] = [];
    const recorded = await storage
      .changeHooks({ who: caller.id, at: clock.now() }, (current) => {
        after = change(current, this.#table);
        return after;
      })
      .catch((error: unknown) => {
        if (error instanceof AppError) throw error;
        // Fails closed because a table that is not on disk would be another one after a restart.
        throw new AppError("hooks_not_saved", { cause: error });
      });
    this.#table = new HookTable(configHooks, after.map(toHook));
    const hosts = recorded.hosts.map(({ host }) => host);
    log.info(
      { version: recorded.version, who: caller.id, hosts: hosts.slice(0, 20), count: hosts.length },
      "SIP hooks changed",
    );
    const touched = named.flatMap((host) => this.#table.byPattern(host)?.id ?? []);
    await this.#resume(touched.filter((hook) => this.isPaused(hook)));
    await this.#cancel(
      before
        .all()
        .map((hook) => hook.id)
        .filter((hook) => !this.isActive(hook)),
    );
    for (const listener of this.#listeners) listener(touched);
  }

  /** Stops sending to a hook until it is resumed; survives a restart. */
  async pause(hook: HookId, reason: string): Promise<void> {
    this.#paused.set(hook, reason);
    await this.#options.storage.pauseHook(hook, reason, this.#options.clock.now());
  }

  async #resume(hooks: readonly HookId[]): Promise<void> {
    for (const hook of hooks) {
      await this.#options.storage.resumeHook(hook, this.#options.clock.now());
      this.#paused.delete(hook);
    }
  }

  async #cancel(hooks: readonly HookId[]): Promise<void> {
    for (const hook of hooks) {
      const cancelled = await this.#options.storage.cancelHook(hook);
      if (cancelled > 0) this.#options.log.warn({ hook, cancelled }, "Deliveries cancelled: their SIP hook is gone");
    }
  }
}

function toHook({ host, url, authId, secretRef }: StoredHook): Hook {
  return {
    id: hookId(host, authId),
    host,
    url,
    source: "runtime",
    ...(authId === undefined ? {} : { authId }),
    ...(secretRef === undefined ? {} : { secret: parseSecretSource(secretRef) }),
  };
}
