import type { Clock } from "../../src/contracts/clock";
import type { Logger } from "../../src/contracts/logger";
import type { DeliveryPlan, HookChange, PausedHook, Storage } from "../../src/contracts/storage";
import { mapCredentials } from "../../src/domain/credentials";
import { effectivePolicy, wantsEvent, type DeliveryPolicy } from "../../src/domain/delivery-policy";
import { AppError } from "../../src/domain/errors";
import { hookId, type Hook, type StoredHook } from "../../src/domain/hook";
import { HookTable } from "../../src/domain/hook-table";
import type { HostPattern } from "../../src/domain/host-pattern";
import type { HookId } from "../../src/domain/ids";
import type { Principal } from "../../src/domain/principal";
import { parseSecretSource } from "../../src/domain/secret";

export type HookRegistryOptions = {
  readonly configHooks: readonly Hook[];
  /** For hooks without one of their own. */
  readonly policy: DeliveryPolicy;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: Logger;
};

/** A commit that was under way when the table changed has ended by then. */
const LATE_CANCEL_MS = 15_000;

type Change = (current: readonly StoredHook[], table: HookTable) => readonly StoredHook[];

/** The forwarding table in memory, as it is in the storage, and the way to change it. */
export class HookRegistry {
  readonly #options: HookRegistryOptions;
  readonly #paused = new Map<HookId, PausedHook>();
  readonly #listeners: ((hooks: readonly HookId[]) => void)[] = [];
  #table: HookTable;
  #lastChange: Promise<void> = Promise.resolve();
  readonly #saving = new Set<Promise<unknown>>();

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
    await storage.rememberHooks(registry.table.all());
    for (const paused of await storage.pausedHooks()) registry.#paused.set(paused.hook, paused);
    const gone = (await storage.waitingHooks()).filter((hook) => !registry.isActive(hook));
    await registry.#cancel(gone);
    return registry;
  }

  get table(): HookTable {
    return this.#table;
  }

  /** The delivery policy for hooks without one of their own. */
  get policy(): DeliveryPolicy {
    return this.#options.policy;
  }

  /** The record of changes, newest first; see `Storage.hookChanges`. */
  changes = (limit: number, before?: number): Promise<readonly HookChange[]> =>
    this.#options.storage.hookChanges(limit, before);

  isActive = (hook: HookId): boolean => this.#table.byId(hook) !== undefined;

  /** How a hook wants an event; see `DeliveryPlan`. */
  planDelivery = (id: HookId, eventName: string): DeliveryPlan => {
    const hook = this.#table.byId(id);
    if (hook === undefined) return "gone";
    const policy = this.policyOf(hook);
    if (!wantsEvent(policy, eventName)) return "unwanted";
    return policy.order === "call" ? "ordered" : "unordered";
  };

  policyOf(hook: Hook): DeliveryPolicy {
    return effectivePolicy(this.#options.policy, hook.policy);
  }

  isPaused(hook: HookId): boolean {
    return this.#paused.has(hook);
  }

  /** Why the hook is paused, and since when (ms since the epoch); undefined when it is not. */
  pausedHook(hook: HookId): PausedHook | undefined {
    return this.#paused.get(hook);
  }

  /** Calls back with hooks that may send again: they were replaced, or resumed. */
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

  /** Reads the table again, which another instance may have changed; see `Storage.onHooksChanged`. */
  reload(): Promise<void> {
    const done = this.#lastChange.then(() => this.#followUp(() => this.#reload()));
    this.#lastChange = done;
    return done;
  }

  async #reload(): Promise<void> {
    const { storage, clock, configHooks } = this.#options;
    // Those whose saving is under way are not there yet.
    await Promise.allSettled(this.#saving);
    const pausedHere = [...this.#paused.keys()];
    const pausedThere = new Map((await storage.pausedHooks()).map((paused) => [paused.hook, paused]));
    const before = this.#table;
    this.#table = new HookTable(configHooks, (await storage.readHooks()).map(toHook));
    for (const paused of pausedThere.values()) this.#paused.set(paused.hook, paused);
    const resumed = pausedHere.filter((hook) => !pausedThere.has(hook));
    for (const hook of resumed) this.#paused.delete(hook);
    const replaced = this.#table.all().filter((hook) => !Bun.deepEquals(before.byId(hook.id), hook));
    const gone = before.all().flatMap(({ id }) => (this.isActive(id) ? [] : [id]));
    const stillGone = () => gone.filter((hook) => !this.isActive(hook));
    await this.#cancel(gone);
    // What was being kept with the table as it was before.
    if (gone.length > 0) clock.after(LATE_CANCEL_MS, () => void this.#followUp(() => this.#cancel(stillGone())));
    const released = [...new Set([...replaced.map(({ id }) => id), ...resumed])];
    if (released.length > 0) for (const listener of this.#listeners) listener(released);
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
    await this.#followUp(() =>
      storage.rememberHooks(recorded.hosts.flatMap(({ after: hook }) => (hook === undefined ? [] : [toHook(hook)]))),
    );
    const hosts = recorded.hosts.map(({ host }) => host);
    log.info(
      { version: recorded.version, who: caller.id, hosts: hosts.slice(0, 20), count: hosts.length },
      "SIP hooks changed",
    );
    const changed = recorded.hosts.flatMap(({ after: hook }) => (hook === undefined ? [] : [hook.host]));
    const touched = [...new Set([...named, ...changed])].flatMap((host) => this.#table.byPattern(host)?.id ?? []);
    await this.#followUp(() => this.#resume(touched.filter((hook) => this.isPaused(hook))));
    const gone = before
      .all()
      .map((hook) => hook.id)
      .filter((hook) => !this.isActive(hook));
    await this.#followUp(() => this.#cancel(gone));
    for (const listener of this.#listeners) listener(touched);
  }

  /** What a change brings with it, once it is on disk and in force. */
  async #followUp(run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      // Fails open because the change stands: to say that it failed would be wrong. Nothing is sent to a hook that is gone,
      // and the next start remembers and cancels what is left.
      this.#options.log.error({ err: error }, "What follows from a change of the SIP hooks could not be saved");
    }
  }

  /** Stops sending to a hook until it is resumed; survives a restart. */
  async pause(hook: HookId, reason: string): Promise<void> {
    const since = this.#options.clock.now();
    if (!this.#paused.has(hook)) this.#paused.set(hook, { hook, reason, since });
    const saved = this.#options.storage.pauseHook(hook, reason, since);
    this.#saving.add(saved);
    await saved.finally(() => this.#saving.delete(saved));
  }

  /** The same for hooks that somebody names; they are paused when that is saved. */
  async pauseAll(hooks: readonly HookId[], reason: string): Promise<void> {
    const since = this.#options.clock.now();
    for (const hook of hooks.filter((id) => !this.isPaused(id))) {
      await this.#options.storage.pauseHook(hook, reason, since);
      this.#paused.set(hook, { hook, reason, since });
    }
  }

  /** Sends to these hooks again. */
  async resume(hooks: readonly HookId[]): Promise<void> {
    const paused = hooks.filter((hook) => this.isPaused(hook));
    await this.#resume(paused);
    for (const listener of this.#listeners) listener(paused);
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

function toHook({ host, url, authId, secretRef, previousSecret, credentials, policy }: StoredHook): Hook {
  return {
    id: hookId(host, authId),
    host,
    url,
    source: "runtime",
    ...(authId === undefined ? {} : { authId }),
    ...(secretRef === undefined ? {} : { secret: parseSecretSource(secretRef) }),
    ...(previousSecret === undefined
      ? {}
      : { previousSecret: { secret: parseSecretSource(previousSecret.ref), until: previousSecret.until } }),
    ...(credentials === undefined ? {} : { credentials: mapCredentials(credentials, parseSecretSource) }),
    ...(policy === undefined ? {} : { policy }),
  };
}
