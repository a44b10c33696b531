import type { Clock } from "../../src/contracts/clock";
import type { Page } from "../../src/contracts/history";
import { inSlices } from "../../src/contracts/in-slices";
import type { Logger } from "../../src/contracts/logger";
import type {
  DeliveryPlan,
  HookChange,
  HookReplacements,
  HookVersion,
  HostDifference,
  PausedHook,
  PresentHooks,
  Storage,
} from "../../src/contracts/storage";
import { effectivePolicy, wantsEvent, type DeliveryPolicy } from "../../src/domain/delivery-policy";
import { AppError } from "../../src/domain/errors";
import type { Hook, StoredHook } from "../../src/domain/hook";
import { HookTable, type TableChange } from "../../src/domain/hook-table";
import type { HostPattern } from "../../src/domain/host-pattern";
import type { HookId } from "../../src/domain/ids";
import type { Principal } from "../../src/domain/principal";
import { sameValue } from "../../src/domain/same-value";
import { followUp } from "./follow-up";
import { GoneHooks } from "./gone-hooks";
import { PausedHooks } from "./paused-hooks";
import { TableVersion } from "./table-version";
import { toHook } from "./to-hook";

export type HookRegistryOptions = {
  readonly configHooks: readonly Hook[];
  /** For hooks without one of their own. */
  readonly policy: DeliveryPolicy;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: Logger;
};

/** What of the forwarding table the configuration says. */
export type ConfiguredHooks = Pick<HookRegistryOptions, "configHooks" | "policy">;

/** What another instance has changed and could not be read is read again after this. */
const RELOAD_AGAIN_MS = 1_000;

/** What hosts have, and what of that is to be otherwise; `table` is the whole one, with the hooks of the configuration. */
type Change = (present: PresentHooks, table: HookTable) => HookReplacements | Promise<HookReplacements>;
type Restore = (differences: readonly HostDifference[], table: HookTable) => Promise<HookReplacements>;
/** Makes a change in the storage; `keep` takes note of what is put. */
type Recording = (keep: (replacements: HookReplacements) => HookReplacements) => Promise<HookChange>;

/** Hooks that are read, and made, in a row: 1 to 3 ms (measured). */
const HOOKS_AT_A_TIME = 500;
const HOSTS_LOGGED = 20;

/** The forwarding table in memory, as it is in the storage, and the way to change it. */
export class HookRegistry {
  readonly #options: HookRegistryOptions;
  readonly #paused: PausedHooks;
  readonly #version: TableVersion;
  readonly #gone: GoneHooks;
  readonly #listeners: ((hooks: readonly HookId[]) => void)[] = [];
  #table: HookTable;
  #policy: DeliveryPolicy;
  #lastChange: Promise<void> = Promise.resolve();
  #cancelReload = () => {};
  #stopped = false;

  private constructor(options: HookRegistryOptions) {
    this.#options = options;
    this.#table = new HookTable(options.configHooks);
    this.#policy = options.policy;
    this.#paused = new PausedHooks(options);
    this.#version = new TableVersion(options);
    this.#gone = new GoneHooks({ ...options, isActive: this.isActive });
  }

  /**
   * Reads the table from the storage. What is still pending for a hook that is in it no more (taken out of the
   * configuration, or deleted just before a crash) is cancelled.
   */
  static async load(options: HookRegistryOptions): Promise<HookRegistry> {
    const { storage } = options;
    const registry = new HookRegistry(options);
    const version = registry.#version;
    version.isAt(await version.newest());
    for (let after: { after?: string } | undefined = {}; after !== undefined;) {
      const { entries, next }: Page<StoredHook> = await storage.readHooks({ limit: HOOKS_AT_A_TIME, ...after });
      registry.#table.change(entries.map(toTableChange));
      after = next === undefined ? undefined : { after: next };
    }
    // Another instance may have changed some while the pages were read: version by version, whichever of it they had.
    for (const newest = await version.newest(); version.current < newest; version.isAt(version.current + 1)) {
      await registry.#take(await version.differences(version.current, version.current + 1));
    }
    await storage.rememberHooks(options.configHooks);
    registry.#paused.take(await registry.#paused.read());
    const gone = (await storage.waitingHooks()).filter((hook) => !registry.isActive(hook));
    await registry.#gone.cancel(gone);
    return registry;
  }

  get table(): HookTable {
    return this.#table;
  }

  /** The delivery policy for hooks without one of their own. */
  get policy(): DeliveryPolicy {
    return this.#policy;
  }

  /** The versions of the hooks added at run time; see `Storage.hookVersions`. */
  versions = (limit: number, before?: number): Promise<readonly HookVersion[]> => this.#version.versions(limit, before);

  /** The version that the last change made; 0 before the first. */
  newestVersion(): Promise<number> {
    return this.#version.newest();
  }

  /** Which hosts have another hook in `to`; see `Storage.hookDifferences`. */
  differences = (from: number, to: number): Promise<readonly HostDifference[]> => this.#version.differences(from, to);

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
    return effectivePolicy(this.#policy, hook.policy);
  }

  /** Hooks of the table that are paused: one that is gone stays paused, in case it comes back. */
  get pausedCount(): number {
    return this.#paused.count(this.isActive);
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
   * Changes hooks added at run time, all or nothing; in force for the next event when it returns. A hook that is put is
   * resumed if it is paused: replacing it, by the same entry too, asks for it again.
   *
   * @param hosts those that it is about; see `Storage.changeHooks`.
   * @throws AppError what `change` throws, or `hooks_not_saved` when the storage cannot write: nothing is changed then.
   */
  change(caller: Principal, hosts: readonly HostPattern[], change: Change): Promise<void> {
    const { storage, clock } = this.#options;
    return this.#inTurn(caller, async (keep) => {
      const author = { who: caller.id, at: clock.now() };
      return storage.changeHooks(author, hosts, async (present) => keep(await change(present, this.#table)));
    });
  }

  /** The same for going back to how a version left them; see `Storage.restoreHooks`. */
  restore(caller: Principal, version: number, change: Restore): Promise<void> {
    const { storage, clock } = this.#options;
    return this.#inTurn(caller, async (keep) => {
      const author = { who: caller.id, at: clock.now() };
      return storage.restoreHooks(author, version, async (differences) => keep(await change(differences, this.#table)));
    });
  }

  /**
   * Puts other hooks of the configuration in force, all at once, as a start with them would (routing rule 9): a host with the
   * same auth_id keeps its hook, with another one it is a deletion and a new hook, and what is pending for a hook that is gone
   * is cancelled. A hook added at run time that one of the configuration hid comes back. What is paused stays paused.
   *
   * @param inForce is run in the same turn of the event loop as the change, so that no event meets half of it.
   * @throws what the storage says when it cannot be read or written: nothing is changed then.
   */
  reconfigure(next: ConfiguredHooks, inForce: () => void): Promise<void> {
    const done = this.#reconfigureAfter(this.#lastChange, next, inForce);
    this.#lastChange = done.catch(() => undefined);
    return done;
  }

  async #reconfigureAfter(
    turn: Promise<void>,
    { configHooks, policy }: ConfiguredHooks,
    inForce: () => void,
  ): Promise<void> {
    await turn;
    const { storage, log } = this.#options;
    const before = this.#table;
    const after = new HookTable(configHooks);
    const unhidden = before.all().filter(({ host, source }) => source === "config" && !after.byPattern(host));
    const runtime = before.all().filter(({ source }) => source === "runtime");
    const { hooks: comingBack, version } = await this.#stored(unhidden.map(({ host }) => host));
    await inSlices([...runtime, ...comingBack], HOOKS_AT_A_TIME, (slice) => {
      after.change(slice.map((hook) => ({ host: hook.host, hook })));
    });
    const changed: HookId[] = [];
    await inSlices(after.all(), HOOKS_AT_A_TIME, (slice) => {
      for (const hook of slice) if (!sameValue(before.byId(hook.id), hook)) changed.push(hook.id);
    });
    const isChanged = new Set(changed);
    const unknown = configHooks.filter(({ id }) => isChanged.has(id));
    if (unknown.length > 0) await storage.rememberHooks(unknown);
    const gone = before.all().flatMap(({ id }) => (after.byId(id) === undefined ? [id] : []));
    this.#table = after;
    this.#version.hasSomeOf(version);
    this.#policy = policy;
    inForce();
    if (changed.length + gone.length > 0) {
      log.info({ changed: changed.length, gone: gone.length }, "SIP hooks of the configuration changed");
    }
    await this.#gone.leave(gone);
    for (const listener of this.#listeners) listener(changed);
  }

  /** The hooks added at run time that these hosts have in the storage, and the version that this is of. */
  async #stored(hosts: readonly HostPattern[]): Promise<{ readonly hooks: readonly Hook[]; readonly version: number }> {
    if (hosts.length === 0) return { hooks: [], version: this.#version.current };
    const { storage, clock } = this.#options;
    let stored: readonly StoredHook[] = [];
    // A change that changes nothing: no version is made, and what it is given is what no other change is under way for.
    const { version } = await storage.changeHooks({ who: "configuration", at: clock.now() }, hosts, (present) => {
      stored = [...present.values()].filter((hook) => hook !== undefined);
      return [];
    });
    return { hooks: stored.map(toHook), version };
  }

  #inTurn(caller: Principal, record: Recording): Promise<void> {
    // One after the other, so that the table follows the changes in their order.
    const done = this.#lastChange.then(() => this.#change(caller, record));
    this.#lastChange = done.catch(() => undefined);
    return done;
  }

  /**
   * Reads what another instance may have changed, again and again until it can be read; see `Storage.onHooksChanged`. Never
   * rejects.
   */
  reload(): Promise<void> {
    const done = this.#lastChange.then(() => this.#tryReload());
    this.#lastChange = done;
    return done;
  }

  async #tryReload(): Promise<void> {
    this.#cancelReload();
    try {
      await this.#reload();
    } catch (error) {
      if (this.#stopped) return;
      // Fails open because what is in force here was so a moment ago; nobody may tell of the change a second time.
      this.#options.log.error(
        { err: error },
        "Changes of the SIP hooks by other instances could not be read; it is tried again",
      );
      this.#cancelReload = this.#options.clock.after(RELOAD_AGAIN_MS, () => void this.reload());
    }
  }

  /** What could not be read is not read again. */
  stop(): void {
    this.#stopped = true;
    this.#cancelReload();
  }

  /** Changes nothing when it throws. */
  async #reload(): Promise<void> {
    const paused = await this.#paused.read();
    const newest = await this.#version.newest();
    const differences = await this.#version.differencesUntil(newest);
    const gone = await this.#take(differences);
    this.#version.isAt(newest);
    const resumed = this.#paused.take(paused);
    const replaced = differences.flatMap(({ host }) => this.#table.byPattern(host)?.id ?? []);
    await this.#gone.leave(gone);
    const released = [...new Set([...replaced, ...resumed])];
    if (released.length > 0) for (const listener of this.#listeners) listener(released);
  }

  /** Puts what these hosts have now into the table; returns the hooks that are gone. */
  async #take(hosts: readonly HostDifference[]): Promise<readonly HookId[]> {
    const changes: TableChange[] = [];
    await inSlices(hosts, HOOKS_AT_A_TIME, (slice) => {
      for (const { host, after } of slice) changes.push(after === undefined ? { host } : toTableChange(after));
    });
    // At once, so that no event meets half of a change.
    return this.#table.change(changes);
  }

  async #change(caller: Principal, record: Recording): Promise<void> {
    let put: HookReplacements = [];
    const { version, hosts } = await record((replacements) => {
      put = replacements.filter(({ after }) => after !== undefined);
      return replacements;
    }).catch((error: unknown) => {
      if (error instanceof AppError) throw error;
      // Fails closed because a table that is not on disk would be another one after a restart.
      throw new AppError("hooks_not_saved", { cause: error });
    });
    const gone = await this.#take(await this.#version.since(version, hosts));
    const first = hosts.slice(0, HOSTS_LOGGED).map(({ host }) => host);
    this.#options.log.info({ version, who: caller.id, hosts: first, count: hosts.length }, "SIP hooks changed");
    const touched = put.flatMap(({ host }) => this.#table.byPattern(host)?.id ?? []);
    await followUp(() => this.#paused.resume(touched), this.#options.log);
    await this.#gone.leave(gone);
    for (const listener of this.#listeners) listener(touched);
  }

  /** Stops sending to a hook until it is resumed; survives a restart. */
  pause(hook: HookId, reason: string): Promise<void> {
    return this.#paused.pause(hook, reason);
  }

  /** The same for hooks that somebody names; they are paused, all of them, when that is saved. */
  pauseAll(hooks: readonly HookId[], reason: string): Promise<void> {
    return this.#paused.pauseAll(hooks, reason);
  }

  /** Sends to these hooks again. */
  async resume(hooks: readonly HookId[]): Promise<void> {
    const resumed = await this.#paused.resume(hooks);
    for (const listener of this.#listeners) listener(resumed);
  }
}

const toTableChange = (stored: StoredHook): TableChange => ({ host: stored.host, hook: toHook(stored) });
