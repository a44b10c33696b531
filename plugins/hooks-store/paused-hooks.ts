import type { Clock } from "../../src/contracts/clock";
import type { PausedHook, Storage } from "../../src/contracts/storage";
import type { HookId } from "../../src/domain/ids";

/** What the storage has, and what was paused here when it was asked. */
export type PausedReading = {
  readonly here: readonly HookId[];
  readonly there: ReadonlyMap<HookId, PausedHook>;
};

/** Which hooks are paused, in memory as in the storage. One that leaves the table stays paused, in case it comes back. */
export class PausedHooks {
  readonly #storage: Pick<Storage, "pausedHooks" | "pauseHooks" | "resumeHooks">;
  readonly #clock: Clock;
  readonly #paused = new Map<HookId, PausedHook>();
  readonly #saving = new Set<Promise<unknown>>();
  /** In force here, but in no storage yet. */
  readonly #unsaved = new Map<HookId, PausedHook>();

  constructor({ storage, clock }: { readonly storage: Storage; readonly clock: Clock }) {
    this.#storage = storage;
    this.#clock = clock;
  }

  has(hook: HookId): boolean {
    return this.#paused.has(hook);
  }

  /** Why the hook is paused, and since when (ms since the epoch); undefined when it is not. */
  get(hook: HookId): PausedHook | undefined {
    return this.#paused.get(hook);
  }

  /** How many of those that are paused are in the table. */
  count(isActive: (hook: HookId) => boolean): number {
    let count = 0;
    for (const hook of this.#paused.keys()) if (isActive(hook)) count++;
    return count;
  }

  /** Reads what the storage has; nothing is changed here before it is taken. What could not be saved before is saved first. */
  async read(): Promise<PausedReading> {
    // Those whose saving is under way are not there yet.
    await Promise.allSettled(this.#saving);
    for (const paused of this.#unsaved.values()) await this.#save(paused);
    const here = [...this.#paused.keys()];
    return { here, there: new Map((await this.#storage.pausedHooks()).map((paused) => [paused.hook, paused])) };
  }

  /** Takes over what was read; returns the hooks that were resumed by others. */
  take({ here, there }: PausedReading): readonly HookId[] {
    for (const paused of there.values()) this.#paused.set(paused.hook, paused);
    const resumed = here.filter((hook) => !there.has(hook));
    for (const hook of resumed) this.#paused.delete(hook);
    return resumed;
  }

  /** In force at once, and saved when it is fulfilled. */
  async pause(hook: HookId, reason: string): Promise<void> {
    const paused = { hook, reason, since: this.#clock.now() };
    if (!this.#paused.has(hook)) this.#paused.set(hook, paused);
    this.#unsaved.set(hook, paused);
    await this.#save(paused);
  }

  async #save(paused: PausedHook): Promise<void> {
    const saved = this.#storage.pauseHooks([paused.hook], paused.reason, paused.since);
    this.#saving.add(saved);
    await saved.finally(() => this.#saving.delete(saved));
    // It may have been paused once more meanwhile.
    if (this.#unsaved.get(paused.hook) === paused) this.#unsaved.delete(paused.hook);
  }

  /** In force, all of them, when that is saved. */
  async pauseAll(hooks: readonly HookId[], reason: string): Promise<void> {
    const since = this.#clock.now();
    const active = hooks.filter((hook) => !this.has(hook) || this.#unsaved.has(hook));
    await this.#storage.pauseHooks(active, reason, since);
    for (const hook of active) {
      this.#paused.set(hook, { hook, reason, since });
      this.#unsaved.delete(hook);
    }
  }

  /** Returns those of the hooks that were paused. */
  async resume(hooks: readonly HookId[]): Promise<readonly HookId[]> {
    const paused = hooks.filter((hook) => this.has(hook));
    if (paused.length === 0) return paused;
    await this.#storage.resumeHooks(paused, this.#clock.now());
    for (const hook of paused) {
      this.#paused.delete(hook);
      this.#unsaved.delete(hook);
    }
    return paused;
  }
}
