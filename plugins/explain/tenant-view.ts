import type { Remembered } from "../../src/contracts/history";
import type { MatchAnswer } from "../../src/contracts/matcher";
import type { HookTable } from "../../src/domain/hook-table";
import type { HookId } from "../../src/domain/ids";
import { maySee, type Principal } from "../../src/domain/principal";
import type { Match } from "../../src/domain/routing";

export type Asked = { readonly matcher: string; readonly answer: MatchAnswer | undefined };
export type Matched = { readonly asked: readonly Asked[]; readonly match: Match | undefined };

/** What the matchers said, as this caller may know it: another tenant's hook is none. */
export function matchFor(
  caller: Principal,
  { asked, match }: Matched,
  table: HookTable,
  names: readonly string[],
): Matched {
  if (caller.role === "operator" || match === undefined) return { asked, match };
  if (match.kind === "hook" && isOwn(caller, match.hook, table)) return { asked, match };
  // All of them, as if none had matched: who was not asked any more would tell, of a route whose hook is gone, too.
  const none = names.map((matcher) => ({ matcher, answer: { kind: "not-mine" } as const }));
  return { asked: none, match: { kind: "none", host: match.host } };
}

/** What is remembered of the call, as this caller may know it: nothing, unless one of its hooks is in it. */
export function memoryFor(caller: Principal, { call }: Remembered, table: HookTable): Remembered["call"] {
  if (caller.role === "operator" || call === undefined) return call;
  const own = (hook: HookId) => isOwn(caller, hook, table);
  const hooks = call.memory.hooks.filter(own);
  if (hooks.length === 0) return undefined;
  const participants = new Map(
    [...call.memory.participants].filter(([, route]) => route.kind === "room" || own(route.hook)),
  );
  return { ...call, memory: { ...call.memory, hooks, participants } };
}

const isOwn = (caller: Principal, hook: HookId, table: HookTable): boolean =>
  caller.role === "operator" || maySee(caller, table.byId(hook)?.authId);
