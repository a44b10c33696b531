import type { UnmatchedReason } from "../../../src/contracts/history";

/** What is known of the callers of a call. */
export type Callers = { readonly hasHook: boolean; readonly sip: readonly { sid: string; host: string | null }[] };

/** Fails closed because of a call whose callers are not all the tenant's own, nobody can say yet whose it is. */
export function mayBeSeen(callers: Callers | undefined, maySeeHost: (host: string) => boolean): boolean {
  if (callers === undefined || callers.hasHook || callers.sip.length === 0) return false;
  return callers.sip.every(({ host }) => host !== null && maySeeHost(host));
}

/** @param hosts that were called by whom the event is about; by all callers, when it is about none of them. */
export function whyUnmatched(callers: Callers | undefined, hosts: readonly string[]): UnmatchedReason {
  if (callers === undefined) return "no_call";
  if (callers.hasHook) return "unknown_participant";
  if (callers.sip.length === 0) return "no_caller";
  return hosts.length === 0 ? "no_host" : "no_hook";
}
