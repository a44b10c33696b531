import type { Database } from "bun:sqlite";
import { inSlices } from "../../../src/contracts/in-slices";
import type { ChangeAuthor, HookVersion, HostDifference } from "../../../src/contracts/storage";
import type { StoredHook } from "../../../src/domain/hook";
import type { HostPattern } from "../../../src/domain/host-pattern";
import type { ChangeSummary } from "../sql/host-difference";
import type { HookRows } from "./hook-rows";
import { prepare } from "./prepare";

type ChangeParts = ChangeSummary & { readonly hosts: readonly HostDifference[] };

type Ends = { readonly before: StoredHook | undefined; readonly after: StoredHook | undefined };

/**
 * Hosts of a part. Written to `hooks` in one transaction, 100 scattered ones of 100,000 block the thread for 2 to 4 ms, and
 * 1,000 for 60 (measured): each of them is a page of its own in several indexes.
 */
const HOSTS_OF_PART = 100;
/** Hosts, and parts, that are read of the record in a row. */
const READ_AT_A_TIME = 500;

/**
 * The record of changes. A change is made by its row in `hook_changes`, which comes after all its parts: a small transaction
 * however many hosts it is about. Its parts are then written to the table of hooks one by one; what a crash leaves of them is
 * written by the next `apply`.
 */
export class HookChangeLog {
  readonly #statements;
  readonly #applyPart: (version: number, part: number) => void;
  readonly #recordLast: (version: number, author: ChangeAuthor, change: ChangeParts, part: Part) => void;

  constructor(db: Database, rows: HookRows) {
    this.#statements = prepareStatements(db);
    this.#applyPart = db.transaction((version: number, part: number) => {
      rows.write(parse(this.#statements.part.get(version, part)));
      this.#statements.setApplied.run(part + 1, version);
    }).immediate;
    this.#recordLast = db.transaction((version: number, author: ChangeAuthor, change: ChangeParts, part: Part) => {
      const { added, replaced, removed, first } = change;
      this.#statements.addPart.run(version, part.n, part.hosts);
      this.#statements.add.run(
        version,
        author.who,
        author.at,
        added,
        replaced,
        removed,
        part.n + 1,
        JSON.stringify(first),
      );
    }).immediate;
  }

  /** 0 when nothing was changed yet. */
  newest(): number {
    return this.#statements.newest.get()?.version ?? 0;
  }

  versions(limit: number, before = Number.MAX_SAFE_INTEGER): HookVersion[] {
    return this.#statements.versions.all(before, limit).map(({ hosts, ...row }) => {
      return { ...row, hosts: JSON.parse(hosts) as HostPattern[] };
    });
  }

  /** Makes the next version; it counts when this is done, and none of it when it throws. */
  async record(author: ChangeAuthor, change: ChangeParts): Promise<number> {
    const newest = this.newest();
    const version = newest + 1;
    // Of a change that failed on its way here.
    this.#statements.removeParts.run(newest);
    let n = 0;
    await inSlices(change.hosts, HOSTS_OF_PART, (slice) => {
      const part = { n, hosts: JSON.stringify(slice) };
      n++;
      if (n * HOSTS_OF_PART < change.hosts.length) this.#statements.addPart.run(version, part.n, part.hosts);
      else this.#recordLast(version, author, change, part);
    });
    return version;
  }

  /** Writes to the table what is recorded and not written yet. */
  async apply(): Promise<void> {
    const newest = this.#statements.newest.get();
    if (newest === null) return;
    const left = Array.from({ length: newest.parts - newest.applied }, (_, i) => newest.applied + i);
    await inSlices(left, 1, (slice) => {
      for (const part of slice) this.#applyPart(newest.version, part);
    });
  }

  /** What hosts that were changed after version `from` had in it and in `to`. */
  async hostsBetween(from: number, to: number): Promise<ReadonlyMap<HostPattern, Ends>> {
    const hosts = new Map<HostPattern, Ends>();
    const last = Math.min(to, this.newest());
    let read = 0;
    for (let at = { version: from, part: Number.MAX_SAFE_INTEGER }; ;) {
      const row = this.#statements.nextPart.get(at.version, at.part, last);
      if (row === null) return hosts;
      const changed = parse(row);
      for (const { host, before, after } of changed) {
        const known = hosts.get(host);
        hosts.set(host, { before: known === undefined ? before : known.before, after });
      }
      at = row;
      read += 1 + changed.length;
      if (read < READ_AT_A_TIME) continue;
      read = 0;
      await new Promise(setImmediate);
    }
  }
}

type Part = { readonly n: number; readonly hosts: string };

/** Written by this program, so it is what it wrote. */
const parse = (row: { hosts: string } | null): HostDifference[] => JSON.parse(row?.hosts ?? "[]") as HostDifference[];

type VersionRow = Omit<HookVersion, "hosts"> & { readonly hosts: string };

function prepareStatements(db: Database) {
  return {
    newest: prepare<{ version: number; parts: number; applied: number }, []>(
      db,
      "select version, parts, applied from hook_changes order by version desc limit 1",
    ),
    versions: prepare<VersionRow, [number, number]>(
      db,
      "select version, who, at, added, replaced, removed, hosts from hook_changes where version < ? " +
        "order by version desc limit ?",
    ),
    add: prepare<unknown, [number, string, number, number, number, number, number, string]>(
      db,
      "insert into hook_changes (version, who, at, added, replaced, removed, parts, applied, hosts) " +
        "values (?, ?, ?, ?, ?, ?, ?, 0, ?)",
    ),
    setApplied: prepare<unknown, [number, number]>(db, "update hook_changes set applied = ? where version = ?"),
    part: prepare<{ hosts: string }, [number, number]>(
      db,
      "select hosts from hook_change_parts where version = ? and part = ?",
    ),
    nextPart: prepare<{ version: number; part: number; hosts: string }, [number, number, number]>(
      db,
      "select version, part, hosts from hook_change_parts where (version, part) > (?, ?) and version <= ? " +
        "order by version, part limit 1",
    ),
    addPart: prepare<unknown, [number, number, string]>(
      db,
      "insert into hook_change_parts (version, part, hosts) values (?, ?, ?)",
    ),
    removeParts: prepare<unknown, [number]>(db, "delete from hook_change_parts where version > ?"),
  };
}
