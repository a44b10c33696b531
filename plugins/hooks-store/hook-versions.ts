import type { HookChange } from "../../src/contracts/storage";
import { AppError } from "../../src/domain/errors";
import type { StoredHook } from "../../src/domain/hook";

/** Reads the record of changes, newest first, those before a version. */
export type ReadChanges = (limit: number, before?: number) => Promise<readonly HookChange[]>;

/** The hooks added at run time, by host, as a version left them. */
export type TableVersion = ReadonlyMap<string, StoredHook>;

export type Difference = { readonly host: string; readonly before?: StoredHook; readonly after?: StoredHook };

const CHANGES_AT_A_TIME = 100;

/**
 * The table as this version left it; version 0 is the empty one before the first change. Of each host the last change up to
 * that version says what it had, so nothing depends on the present table, which may change meanwhile.
 *
 * @throws AppError `version_not_found`
 */
export async function tableAt(version: number, read: ReadChanges): Promise<TableVersion> {
  const [newest] = await read(1);
  if (version > (newest?.version ?? 0)) throw new AppError("version_not_found", { message: String(version) });
  const hosts = new Map<string, StoredHook | undefined>();
  for (let before = version + 1; ;) {
    const changes = await read(CHANGES_AT_A_TIME, before);
    for (const { host, after } of changes.flatMap((change) => change.hosts)) {
      if (!hosts.has(host)) hosts.set(host, after);
    }
    const oldest = changes.at(-1)?.version;
    if (oldest === undefined || oldest === 1) break;
    before = oldest;
  }
  return new Map([...hosts].flatMap(([host, hook]) => (hook === undefined ? [] : [[host, hook] as const])));
}

/** The hosts whose hook is another one in `to`, in alphabetical order. */
export function compareTables(from: TableVersion, to: TableVersion): Difference[] {
  const hosts = [...new Set([...from.keys(), ...to.keys()])].toSorted();
  return hosts.flatMap((host) => {
    const [before, after] = [from.get(host), to.get(host)];
    if (Bun.deepEquals(before, after)) return [];
    return [{ host, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }];
  });
}
