/** Milliseconds that a run waits for other instances to withdraw theirs. */
const OTHERS_WITHDRAW = 5_000;
/** Milliseconds that a run that created none waits for those that did: longer than they wait for each other. */
const CREATORS_SETTLE = 20_000;

export type Move =
  | { readonly kind: "withdraw"; readonly ids: readonly string[] }
  | { readonly kind: "wait" }
  /** They are not of this moment: whose they are, and which one may go, only the operator knows. */
  | { readonly kind: "give up" };

/**
 * What to do when several trunks (or rules) have our name. LiveKit checks for conflicts first and writes later, without
 * a lock, so that instances that start together can each create one, and calls fail while there are two.
 *
 * The smallest id stays, and each run withdraws what *it itself created in this run*, seconds ago, before anything was
 * built on it. Nothing else is ever deleted: neither what was there when the run began nor what another run made,
 * whatever its name. When the others do not withdraw theirs (their run has ended, having seen only its own), the run
 * with the smallest id gives in and withdraws its own as well. So every race ends with one, and when only others' are
 * left, those stay.
 *
 * @param ids all of our name, in the order of LiveKit's ids
 * @param created those that this run created
 * @param waited milliseconds since this run first saw several
 */
export function resolveDuplicates(ids: readonly string[], created: ReadonlySet<string>, waited: number): Move {
  const mine = ids.filter((id) => created.has(id));
  const losing = mine.filter((id) => id !== ids[0]);
  if (losing.length > 0) return { kind: "withdraw", ids: losing };
  if (waited < (mine.length > 0 ? OTHERS_WITHDRAW : CREATORS_SETTLE)) return { kind: "wait" };
  return mine.length > 0 ? { kind: "withdraw", ids: mine } : { kind: "give up" };
}
