import type { MatchAnswer } from "../../../src/contracts/matcher";
import type { Hook } from "../../../src/domain/hook";
import { hookIdFrom } from "../../../src/domain/ids";
import type { Candidates } from "./match-view";

export type ReadAnswer = Exclude<MatchAnswer, { kind: "hook" }> | { readonly kind: "hook"; readonly hook: Hook };

/**
 * What a matcher answered, with the hook as the table has it: its tenant is not the matcher's to say. Undefined for what is no
 * answer, a hook among them that was not in the table. One that was deleted while the matcher took its time is an answer: what
 * the call brings for it is cancelled, where it can be seen.
 */
export function readAnswer(said: unknown, candidates: Candidates): ReadAnswer | undefined {
  if (typeof said !== "object" || said === null || !("kind" in said)) return undefined;
  if (said.kind === "none" || said.kind === "not-mine") return { kind: said.kind };
  if (said.kind !== "hook" || !("hook" in said)) return undefined;
  const { hook: named } = said;
  if (typeof named !== "object" || named === null || !("id" in named) || typeof named.id !== "string") return undefined;
  const hook = candidates.find(hookIdFrom(named.id));
  return hook === undefined ? undefined : { kind: "hook", hook };
}
