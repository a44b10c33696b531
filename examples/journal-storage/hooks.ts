import { HOSTS_OF_VERSION, hookId } from "sayna-sip";
import type {
  ChangeAuthor,
  HookChange,
  HookReplacements,
  HookVersion,
  HostDifference,
  HostPattern,
  KnownHook,
  PresentHooks,
  StoredHook,
} from "sayna-sip";
import type { State } from "./state";

type Table = ReadonlyMap<HostPattern, StoredHook>;

export function rememberHooks(state: State, hooks: readonly KnownHook[]): void {
  for (const { id, host, authId } of hooks) {
    state.known.set(id, { id, host, ...(authId === undefined ? {} : { authId }) });
  }
}

/** What each of these hosts has now. */
export const presentHooks = (state: State, hosts: readonly HostPattern[]): PresentHooks =>
  new Map(hosts.map((host) => [host, state.hooks.get(host)]));

/** @throws RangeError for a host that was not asked for. */
export function onlyThese(replacements: HookReplacements, hosts: Iterable<HostPattern>): HookReplacements {
  const allowed = new Set(hosts);
  const other = replacements.find(({ host }) => !allowed.has(host));
  if (other !== undefined) throw new RangeError(`${other.host} was not named`);
  return replacements;
}

/** What differs, and who is to be remembered for it: all that a change of hooks needs. */
export type PreparedChange = { readonly hosts: readonly HostDifference[]; readonly known: readonly KnownHook[] };

const AT_A_TIME = 200;

/** In slices, so that a change of thousands of hooks holds up no acknowledgement. */
export async function prepareChange(state: State, replacements: HookReplacements): Promise<PreparedChange> {
  const hosts: HostDifference[] = [];
  const known: KnownHook[] = [];
  for (let from = 0; from < replacements.length; from += AT_A_TIME) {
    if (from > 0) await new Promise(setImmediate);
    for (const { host, after } of replacements.slice(from, from + AT_A_TIME)) {
      const one = difference(host, state.hooks.get(host), after);
      if (Bun.deepEquals(one.before, one.after)) continue;
      hosts.push(one);
      if (after !== undefined) known.push({ id: hookId(after.host, after.authId), ...after });
    }
  }
  return { hosts, known };
}

/** `Storage.changeHooks` and `restoreHooks`, when it is known what differs. */
export function replaceHooks(state: State, { who, at }: ChangeAuthor, { hosts, known }: PreparedChange): HookChange {
  const change: HookChange = { version: state.changes.length + (hosts.length > 0 ? 1 : 0), who, at, hosts };
  if (hosts.length > 0) state.changes.push(change);
  for (const { host, after } of hosts) {
    // A map keeps the place of what is replaced, and puts what is new behind the rest.
    if (after === undefined) state.hooks.delete(host);
    else state.hooks.set(host, after);
  }
  rememberHooks(state, known);
  return change;
}

export function hookVersions(state: State, limit: number, before = Infinity): readonly HookVersion[] {
  const newest = state.changes.filter(({ version }) => version < before).toReversed();
  return newest.slice(0, limit).map(({ hosts, ...change }) => ({
    ...change,
    added: hosts.filter((host) => host.before === undefined).length,
    replaced: hosts.filter((host) => host.before !== undefined && host.after !== undefined).length,
    removed: hosts.filter((host) => host.after === undefined).length,
    hosts: hosts.slice(0, HOSTS_OF_VERSION).map(({ host }) => host),
  }));
}

export function hookDifferences(state: State, from: number, to: number): readonly HostDifference[] {
  return compare(tableAt(state, from), tableAt(state, to));
}

/** From now to how this version left the hooks. */
export const differencesTo = (state: State, version: number): readonly HostDifference[] =>
  compare(state.hooks, tableAt(state, version));

function tableAt(state: State, version: number): Table {
  const table = new Map<HostPattern, StoredHook>();
  for (const { hosts } of state.changes.slice(0, version)) {
    for (const { host, after } of hosts) {
      if (after === undefined) table.delete(host);
      else table.set(host, after);
    }
  }
  return table;
}

function compare(from: Table, to: Table): readonly HostDifference[] {
  const hosts = [...new Set([...from.keys(), ...to.keys()])];
  return hosts
    .map((host) => difference(host, from.get(host), to.get(host)))
    .filter(({ before, after }) => !Bun.deepEquals(before, after));
}

const difference = (host: HostPattern, before?: StoredHook, after?: StoredHook): HostDifference => ({
  host,
  ...(before === undefined ? {} : { before }),
  ...(after === undefined ? {} : { after }),
});
