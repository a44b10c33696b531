import type { CandidateHooks, MatchAnswer } from "../../../src/contracts/matcher";
import type { HostPattern } from "../../../src/domain/host-pattern";

/**
 * The answer for a call that a route gives to the hook of this host. Without such a hook it belongs to none. Fails closed
 * because the next matcher would give a call that is one tenant's by its number to another one by its host.
 */
export function toHook(host: HostPattern, hooks: CandidateHooks): MatchAnswer {
  const hook = hooks.byHost(host);
  return hook === undefined ? { kind: "none" } : { kind: "hook", hook };
}
