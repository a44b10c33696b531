import type { Database } from "bun:sqlite";
import { inSlices } from "../../../src/contracts/in-slices";
import type { Page, PageRequest } from "../../../src/contracts/history";
import type { Logger } from "../../../src/contracts/logger";
import type {
  ChangeAuthor,
  ChangeHosts,
  HookChange,
  HookReplacements,
  HookVersion,
  HostDifference,
  KnownHook,
  PresentHooks,
  RestoreHosts,
} from "../../../src/contracts/storage";
import { hookId, type StoredHook } from "../../../src/domain/hook";
import type { HostPattern } from "../../../src/domain/host-pattern";
import { differenceOf, differencesMade, HOSTS_AT_A_TIME, summarise } from "../sql/host-difference";
import { HookChangeLog } from "./hook-change-log";
import type { HookRows } from "./hook-rows";

/** The changes of the hooks added at run time: one after the other, each of them first recorded, then made. */
export class HookChanges {
  readonly #rows: HookRows;
  readonly #log: HookChangeLog;
  readonly #logger: Logger;
  #last: Promise<unknown> = Promise.resolve();

  constructor(db: Database, rows: HookRows, logger: Logger) {
    this.#rows = rows;
    this.#log = new HookChangeLog(db, rows);
    this.#logger = logger;
  }

  async read(page: PageRequest): Promise<Page<StoredHook>> {
    await this.#log.apply();
    if (this.#rows.knowsNone()) this.#rememberAll();
    return this.#rows.page(page);
  }

  change(author: ChangeAuthor, hosts: readonly HostPattern[], change: ChangeHosts): Promise<HookChange> {
    return this.#inTurn(async () => {
      const present = await this.#rows.present(hosts);
      return this.#make(author, present, await change(present));
    });
  }

  restore(author: ChangeAuthor, version: number, change: RestoreHosts): Promise<HookChange> {
    return this.#inTurn(async () => {
      const differences = await this.differences(this.#log.newest(), version);
      const present = new Map(differences.map(({ host, before }) => [host, before]));
      return this.#make(author, present, await change(differences));
    });
  }

  versions(limit: number, before?: number): HookVersion[] {
    return this.#log.versions(limit, before);
  }

  async differences(from: number, to: number): Promise<HostDifference[]> {
    const hosts = await this.#log.hostsBetween(Math.min(from, to), Math.max(from, to));
    const differences: HostDifference[] = [];
    await inSlices([...hosts], HOSTS_AT_A_TIME, (slice) => {
      for (const [host, { before, after }] of slice) {
        const difference = from <= to ? differenceOf(host, before, after) : differenceOf(host, after, before);
        if (difference !== undefined) differences.push(difference);
      }
    });
    return differences;
  }

  /** For a database from the time when no hook was remembered. */
  #rememberAll(): void {
    const known: KnownHook[] = [];
    for (let page: PageRequest | undefined = { limit: HOSTS_AT_A_TIME }; page !== undefined;) {
      const { entries, next }: Page<StoredHook> = this.#rows.page(page);
      for (const hook of entries) known.push({ ...hook, id: hookId(hook.host, hook.authId) });
      page = next === undefined ? undefined : { limit: HOSTS_AT_A_TIME, after: next };
    }
    this.#rows.remember(known);
  }

  /** Runs it when what came before is done; what that left to be applied comes first. */
  #inTurn<Result>(run: () => Promise<Result>): Promise<Result> {
    const done = this.#last.then(async () => {
      await this.#log.apply();
      return run();
    });
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #make(author: ChangeAuthor, present: PresentHooks, replacements: HookReplacements): Promise<HookChange> {
    const hosts = await differencesMade(present, replacements);
    if (hosts.length === 0) return { ...author, version: this.#log.newest(), hosts };
    const version = await this.#log.record(author, { hosts, ...summarise(hosts) });
    await this.#log.apply().catch((error: unknown) => {
      // Fails open because the change is on disk: what is left of it is made up for before the next one, or at the next start.
      this.#logger.error(
        { err: error, version },
        "A change of the SIP hooks is recorded, but not written to their table yet",
      );
    });
    return { ...author, version, hosts };
  }
}
