import type { TransactionSQL } from "bun";
import type { Page, PageRequest } from "../../../src/contracts/history";
import { inSlices } from "../../../src/contracts/in-slices";
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
import type { StoredHook } from "../../../src/domain/hook";
import type { HostPattern } from "../../../src/domain/host-pattern";
import { differenceOf, differencesMade, HOSTS_AT_A_TIME, summarise } from "../sql/host-difference";
import type { Database } from "./database";
import { hooksOf, pageOfHooks, rememberHooks, writeHooks } from "./hook-rows";
import { lockAll } from "./locks";
import { storableText } from "./storable-text";

type Sql = Pick<TransactionSQL, "unsafe">;

/**
 * The changes of the hooks added at run time: one after the other, whichever instance makes it, each with its record in one
 * transaction.
 */
export class HookChanges {
  readonly #database: Database;
  #last: Promise<unknown> = Promise.resolve();

  constructor(database: Database) {
    this.#database = database;
  }

  read(page: PageRequest): Promise<Page<StoredHook>> {
    return pageOfHooks(this.#database, page);
  }

  remember(hooks: readonly KnownHook[]): Promise<void> {
    return rememberHooks(this.#database, hooks);
  }

  change(author: ChangeAuthor, hosts: readonly HostPattern[], change: ChangeHosts): Promise<HookChange> {
    return this.#inTurn(async (tx) => {
      const present = new Map<HostPattern, StoredHook | undefined>();
      await inSlices(hosts, HOSTS_AT_A_TIME, async (slice) => {
        const there = await hooksOf(tx, slice);
        for (const host of slice) present.set(host, there.get(host));
      });
      return make(tx, author, present, await change(present));
    });
  }

  restore(author: ChangeAuthor, version: number, change: RestoreHosts): Promise<HookChange> {
    return this.#inTurn(async (tx) => {
      const differences = await readDifferences(tx, await newestVersion(tx), version);
      const present = new Map(differences.map(({ host, before }) => [host, before]));
      return make(tx, author, present, await change(differences));
    });
  }

  async versions(limit: number, before = Number.MAX_SAFE_INTEGER): Promise<HookVersion[]> {
    const rows = await this.#database.rows<VersionRow>(
      "select version, who, at, added, replaced, removed, hosts from hook_changes where version < $1 " +
        "order by version desc limit $2",
      [before, limit],
    );
    return rows.map(({ version, at, hosts, ...row }) => {
      return { ...row, version: Number(version), at: Number(at), hosts: JSON.parse(hosts) as HostPattern[] };
    });
  }

  differences(from: number, to: number): Promise<HostDifference[]> {
    return this.#database.transaction((tx) => readDifferences(tx, from, to));
  }

  /** Another one when hooks were changed, paused or resumed. */
  async revision(): Promise<string> {
    const [row] = await this.#database.rows<{ revision: string }>(
      "select concat((select max(version) from hook_changes), ' ', " +
        "(select md5(string_agg(hook, ' ' order by hook)) from paused_hooks)) as revision",
    );
    return row?.revision ?? "";
  }

  /** Changes of this instance wait here, so that they do not hold connections meanwhile; those of others by the lock. */
  #inTurn(run: (tx: TransactionSQL) => Promise<HookChange>): Promise<HookChange> {
    const done = this.#last.then(() =>
      this.#database.transaction(async (tx) => {
        await lockAll(tx, ["hooks"]);
        return run(tx);
      }),
    );
    this.#last = done.catch(() => undefined);
    return done;
  }
}

async function make(
  tx: Sql,
  author: ChangeAuthor,
  present: PresentHooks,
  replacements: HookReplacements,
): Promise<HookChange> {
  // Of a host that is named twice the last one counts.
  const once = [...new Map(replacements.map((replacement) => [replacement.host, replacement])).values()];
  const hosts = await differencesMade(present, once);
  const newest = await newestVersion(tx);
  if (hosts.length === 0) return { ...author, version: newest, hosts };
  // Without gaps: a sequence would leave one where a change was undone.
  const version = newest + 1;
  await record(tx, version, author, hosts);
  await inSlices(hosts, HOSTS_AT_A_TIME, async (slice) => {
    await recordHosts(tx, version, slice);
    await writeHooks(tx, slice);
  });
  return { ...author, version, hosts };
}

async function record(tx: Sql, version: number, author: ChangeAuthor, hosts: readonly HostDifference[]): Promise<void> {
  const { added, replaced, removed, first } = summarise(hosts);
  await tx.unsafe(
    "insert into hook_changes (version, who, at, added, replaced, removed, hosts) values ($1, $2, $3, $4, $5, $6, $7)",
    [version, storableText(author.who), author.at, added, replaced, removed, JSON.stringify(first)],
  );
}

async function recordHosts(tx: Sql, version: number, hosts: readonly HostDifference[]): Promise<void> {
  const rows = hosts.map(({ host, before, after }) => {
    return { host, before: toJson(before), after: toJson(after) };
  });
  await tx.unsafe(
    `insert into hook_change_hosts (version, host, before, after)
     select $1::bigint, host, before, after from json_to_recordset($2::text::json) as x (host text, before text, after text)`,
    [version, JSON.stringify(rows)],
  );
}

async function newestVersion(tx: Sql): Promise<number> {
  const [row] = (await tx.unsafe("select coalesce(max(version), 0) as version from hook_changes")) as {
    version: string;
  }[];
  return Number(row?.version ?? 0);
}

/** What hosts that were changed between the two had in the earlier one and in the later one. */
async function readDifferences(tx: Sql, from: number, to: number): Promise<HostDifference[]> {
  const rows = (await tx.unsafe(
    `select host, (array_agg(before order by version))[1] as before, (array_agg(after order by version desc))[1] as after
     from hook_change_hosts where version > $1 and version <= $2 group by host`,
    [Math.min(from, to), Math.max(from, to)],
  )) as { host: string; before: string | null; after: string | null }[];
  const differences: HostDifference[] = [];
  await inSlices(rows, HOSTS_AT_A_TIME, (slice) => {
    for (const row of slice) {
      const [earlier, later] = [fromJson(row.before), fromJson(row.after)];
      // Written by this program, so it is a pattern.
      const host = row.host as HostPattern;
      const difference = from <= to ? differenceOf(host, earlier, later) : differenceOf(host, later, earlier);
      if (difference !== undefined) differences.push(difference);
    }
  });
  return differences;
}

type VersionRow = Pick<HookVersion, "who" | "added" | "replaced" | "removed"> & {
  readonly version: string;
  readonly at: string;
  readonly hosts: string;
};

const toJson = (hook: StoredHook | undefined): string | undefined =>
  hook === undefined ? undefined : JSON.stringify(hook);

/** Written by this program, so it is what it wrote. */
const fromJson = (json: string | null): StoredHook | undefined =>
  json === null ? undefined : (JSON.parse(json) as StoredHook);
