import type { Logger } from "../../src/contracts/logger";
import type { HookVersion, HostDifference, Storage } from "../../src/contracts/storage";
import type { HostPattern } from "../../src/domain/host-pattern";

/** Which version of the hooks added at run time a table is of, and what it is to take over from later ones. */
export class TableVersion {
  readonly #storage: Pick<Storage, "hookVersions" | "hookDifferences">;
  readonly #log: Logger;
  /** Of the table, as it was read last. */
  #version = 0;
  /** The table has something of a later version already. */
  #isAhead = false;

  constructor({ storage, log }: { readonly storage: Storage; readonly log: Logger }) {
    this.#storage = storage;
    this.#log = log;
  }

  get current(): number {
    return this.#version;
  }

  /** See `Storage.hookVersions`. */
  versions(limit: number, before?: number): Promise<readonly HookVersion[]> {
    return this.#storage.hookVersions(limit, before);
  }

  /** The version that the last change made; 0 before the first. */
  async newest(): Promise<number> {
    const [newest] = await this.versions(1);
    return newest?.version ?? 0;
  }

  /** Which hosts have another hook in `to`; see `Storage.hookDifferences`. */
  differences(from: number, to: number): Promise<readonly HostDifference[]> {
    return this.#storage.hookDifferences(from, to);
  }

  /** The table has all of this version, and nothing of a later one. */
  isAt(version: number): void {
    this.#version = version;
    this.#isAhead = false;
  }

  /** The table has something of this version, which may be a later one. */
  hasSomeOf(version: number): void {
    if (version > this.#version) this.#isAhead = true;
  }

  /**
   * What the table is to take over from the later versions. Where it is ahead of its own, version by version: a host that was
   * changed and changed back since is none of the differences, and yet another one here.
   */
  async differencesUntil(newest: number): Promise<readonly HostDifference[]> {
    if (newest === this.#version) return [];
    if (!this.#isAhead) return this.differences(this.#version, newest);
    const last = new Map<HostPattern, HostDifference>();
    for (let version = this.#version; version < newest; version++) {
      for (const difference of await this.differences(version, version + 1)) last.set(difference.host, difference);
    }
    return [...last.values()];
  }

  /** What this change, and those that other instances have made before it, make of the table, which takes it over now. */
  async since(version: number, hosts: readonly HostDifference[]): Promise<readonly HostDifference[]> {
    if (hosts.length === 0) return [];
    if (version === this.#version + 1) {
      this.isAt(version);
      return hosts;
    }
    try {
      const all = await this.differencesUntil(version);
      this.isAt(version);
      return all;
    } catch (error) {
      this.#isAhead = true;
      // Fails open because the change stands and is in force here; the others' are read at the next reload.
      this.#log.error({ err: error }, "Changes of the SIP hooks by other instances could not be read");
      return hosts;
    }
  }
}
