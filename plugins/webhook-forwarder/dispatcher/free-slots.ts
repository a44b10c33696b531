/** Attempts under way to all hooks together, and how many of them are to slow hooks; `total` is the limit. */
export type Load = { readonly total: number; readonly underWay: number; readonly slow: number };

export type Asker = {
  /** Attempts under way to this hook, and how many it may have. */
  readonly busy: number;
  readonly limit: number;
  /** Attempts under way to all hooks of its tenant. */
  readonly tenant: number;
  readonly slow: boolean;
};

/**
 * How many attempts more this hook may have now (delivery rule 6). Slow hooks share half of all. Of what they leave, the
 * others take half freely; beyond that a hook gets its first attempt only, because hooks that begin to hang all at once
 * look like fast ones for a second, in which they must not take every place. Nor must the many hooks of one tenant: it gets
 * such places only while it has less than half of what the other tenants leave.
 */
export function freeSlots({ busy, limit, tenant, slow }: Asker, all: Load): number {
  const most = Math.min(limit - busy, all.total - all.underWay);
  const shared = slow ? Math.max(Math.floor(all.total / 2), 1) - all.slow : freeHalf(all);
  const first = !slow && busy === 0 && tenant < (all.total - (all.underWay - tenant)) / 2 ? 1 : 0;
  return Math.max(Math.min(most, Math.max(shared, first)), 0);
}

function freeHalf({ total, underWay, slow }: Load): number {
  return Math.ceil((total - slow) / 2) - (underWay - slow);
}
