import { hookId } from "sayna-sip";
import type { ChangeAuthor, HookChange, KnownHook, StoredHook } from "sayna-sip";
import type { State } from "./state";

export function rememberHooks(state: State, hooks: readonly KnownHook[]): void {
  for (const { id, host, authId } of hooks) {
    state.known.set(id, { id, host, ...(authId === undefined ? {} : { authId }) });
  }
}

/** `Storage.changeHooks`, when it is known what the hooks are to be. */
export function replaceHooks(state: State, author: ChangeAuthor, after: readonly StoredHook[]): HookChange {
  const before = new Map(state.hooks.map((hook) => [hook.host, hook]));
  const now = new Map(after.map((hook) => [hook.host, hook]));
  const removed = state.hooks.filter(({ host }) => !now.has(host)).map((hook) => ({ host: hook.host, before: hook }));
  const changed = after
    .filter((hook) => !Bun.deepEquals(before.get(hook.host), hook))
    .map((hook) => {
      const old = before.get(hook.host);
      return { host: hook.host, ...(old === undefined ? {} : { before: old }), after: hook };
    });
  const hosts = [...removed, ...changed];
  const change: HookChange = { version: state.changes.length + (hosts.length > 0 ? 1 : 0), ...author, hosts };
  if (hosts.length === 0) return change;
  state.changes.push(change);
  state.hooks = after;
  rememberHooks(
    state,
    after.map((hook) => ({ id: hookId(hook.host, hook.authId), ...hook })),
  );
  return change;
}
