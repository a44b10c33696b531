import type { Logger } from "../../../src/contracts/logger";
import { COPIED_TABLES, type CopiedTable } from "./copied-tables";
import { CopyError } from "./copy-error";
import { CopySource } from "./copy-source";
import { CopyTarget, type Digests, type Progress } from "./copy-target";
import type { Digested } from "./table-digest";

export { CopyError } from "./copy-error";

export type CopyOptions = {
  /** SQLite's data directory, or the database's file in it. */
  readonly from: string;
  /** `postgres://…`, an empty database, or one that an earlier run has begun to copy into. */
  readonly to: string;
  /** Forgets what an earlier run has copied without finishing. */
  readonly restart?: boolean;
  readonly log: Logger;
  readonly report: (step: CopyStep) => void;
};

export type CopyStep =
  | { readonly kind: "begins"; readonly from: string; readonly to: string; readonly resumed: boolean }
  | { readonly kind: "copied" | "verified"; readonly table: string; readonly rows: number; readonly of: number }
  | { readonly kind: "queued"; readonly lanes: number };

export type CopyResult = {
  readonly from: string;
  /** Without its password. */
  readonly to: string;
  /** An earlier run had copied all of this already. */
  readonly alreadyDone: boolean;
  readonly tables: readonly (Digested & { readonly table: string })[];
  /** Calls with something left to be sent, each to one hook. */
  readonly waitingLanes: number | undefined;
};

/**
 * Copies a single machine's SQLite into an empty Postgres, with all ids, orders and times as they are. A run that was ended in
 * any way is gone on with by the next one. It is finished when counts and digests of each table are the same in both.
 *
 * @throws CopyError, StorageOpenError when it cannot be begun or is not the same; the database's errors. No service starts on the Postgres
 *   until a later run has finished it.
 */
export async function copyStorage(options: CopyOptions): Promise<CopyResult> {
  const source = await CopySource.open(options.from, options.log);
  try {
    const target = await CopyTarget.open(options.to);
    try {
      return await copy(source, target, options);
    } finally {
      await target.close();
    }
  } finally {
    source.close();
  }
}

async function copy(source: CopySource, target: CopyTarget, options: CopyOptions): Promise<CopyResult> {
  const { log, report, restart = false } = options;
  const progress = await begin(source, target, restart);
  if (progress === "finished") return alreadyDone(source, target);
  report({ kind: "begins", from: source.file, to: target.where, resumed: progress.size > 0 });
  for (const table of COPIED_TABLES) await copyTable(table, { source, target, progress, report });
  for (const table of COPIED_TABLES) await target.continueIds(table, source.used(table));
  const digests = await verify(source, target, report);
  const waitingLanes = await target.sendHeads(log);
  report({ kind: "queued", lanes: waitingLanes });
  await target.finish(digests);
  return { from: source.file, to: target.where, alreadyDone: false, tables: toTables(digests), waitingLanes };
}

async function begin(
  source: CopySource,
  target: CopyTarget,
  restart: boolean,
): Promise<Map<string, Progress> | "finished"> {
  let found = await target.findCopy();
  if (found.kind === "finished") return "finished";
  await refuseServices(target);
  if (found.kind === "unfinished" && restart) {
    await target.startOver();
    found = { kind: "none" };
  }
  if (found.kind === "unfinished") return new Map(found.progress);
  const double = source.doubleEventId();
  if (double !== undefined) {
    throw new CopyError(
      `${source.file} has the event id ${double} in two calls, and Postgres keeps an id once. It is not copied.`,
    );
  }
  await target.begin(source.file);
  try {
    // Those that have started since; all later ones find the copy.
    await refuseServices(target);
  } catch (error) {
    await target.withdraw();
    throw error;
  }
  return new Map();
}

async function refuseServices(target: CopyTarget): Promise<void> {
  const services = await target.services();
  if (services === 0) return;
  throw new CopyError(`A service runs on ${target.where} (it has ${services} connections). Stop all of them first.`);
}

type TableCopy = {
  readonly source: CopySource;
  readonly target: CopyTarget;
  readonly progress: Map<string, Progress>;
  readonly report: CopyOptions["report"];
};

async function copyTable(table: CopiedTable, { source, target, progress, report }: TableCopy): Promise<void> {
  const of = source.count(table);
  let { rows, after } = progress.get(table.name) ?? { rows: 0, after: undefined };
  for (let page = source.page(table, after); page !== undefined; page = source.page(table, after)) {
    rows += page.rows.length;
    after = page.after;
    progress.set(table.name, { rows, after });
    await target.write(table, page, progress);
    report({ kind: "copied", table: table.name, rows, of });
  }
}

async function verify(source: CopySource, target: CopyTarget, report: CopyOptions["report"]): Promise<Digests> {
  const digests: Record<string, Digested> = {};
  const different: string[] = [];
  for (const table of COPIED_TABLES) {
    const [here, there] = [source.digest(table), await target.digest(table)];
    digests[table.name] = here;
    report({ kind: "verified", table: table.name, rows: there.rows, of: here.rows });
    if (!isSame(here, there)) different.push(`${table.name} (${here.rows} rows here, ${there.rows} there)`);
  }
  if (different.length > 0) {
    throw new CopyError(
      `The copy is not the same in ${different.join(", ")}: one of the two was written to since it began. ` +
        "Run it again with --restart, which begins anew.",
    );
  }
  return digests;
}

async function alreadyDone(source: CopySource, target: CopyTarget): Promise<CopyResult> {
  const found = await target.findCopy();
  if (found.kind !== "finished") throw new Error("the copy was finished a moment ago");
  const changed = COPIED_TABLES.filter((table) => !isSame(source.digest(table), found.digests[table.name]));
  if (changed.length > 0) {
    throw new CopyError(
      `${target.where} holds a copy that was finished at ${found.at.toISOString()}, and ${source.file} is not what was copied ` +
        `(${changed.map(({ name }) => name).join(", ")}). Nothing was changed. Copy into an empty database.`,
    );
  }
  const tables = toTables(found.digests);
  return { from: source.file, to: target.where, alreadyDone: true, tables, waitingLanes: undefined };
}

function isSame(one: Digested, other: Digested | undefined): boolean {
  return one.rows === other?.rows && one.sha256 === other.sha256;
}

function toTables(digests: Digests): CopyResult["tables"] {
  return Object.entries(digests).map(([table, digested]) => ({ table, ...digested }));
}
