import { inSlices } from "../../../src/contracts/in-slices";
import {
  HOSTS_OF_VERSION,
  type HookReplacements,
  type HookVersion,
  type HostDifference,
  type PresentHooks,
} from "../../../src/contracts/storage";
import type { StoredHook } from "../../../src/domain/hook";
import type { HostPattern } from "../../../src/domain/host-pattern";

/** Hosts that are read, compared and written in a row. */
export const HOSTS_AT_A_TIME = 500;

/** Undefined when there is none. */
export function differenceOf(
  host: HostPattern,
  before: StoredHook | undefined,
  after: StoredHook | undefined,
): HostDifference | undefined {
  if (Bun.deepEquals(before, after)) return undefined;
  return { host, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
}

/**
 * What replacing makes different.
 *
 * @throws RangeError about a host that was not asked for.
 */
export async function differencesMade(
  present: PresentHooks,
  replacements: HookReplacements,
): Promise<readonly HostDifference[]> {
  const differences: HostDifference[] = [];
  await inSlices(replacements, HOSTS_AT_A_TIME, (slice) => {
    for (const { host, after } of slice) {
      if (!present.has(host)) throw new RangeError(`the change was not to be about ${host}`);
      const difference = differenceOf(host, present.get(host), after);
      if (difference !== undefined) differences.push(difference);
    }
  });
  return differences;
}

/** What a version says of its change. */
export type ChangeSummary = Pick<HookVersion, "added" | "replaced" | "removed"> & {
  readonly first: readonly HostPattern[];
};

export function summarise(hosts: readonly HostDifference[]): ChangeSummary {
  const added = hosts.filter(({ before }) => before === undefined).length;
  const removed = hosts.filter(({ after }) => after === undefined).length;
  const replaced = hosts.length - added - removed;
  return { added, replaced, removed, first: hosts.slice(0, HOSTS_OF_VERSION).map(({ host }) => host) };
}
