import { TENANTS, type RecordedCall, type TenantName } from "./recorded-calls";
import type { Received } from "./tenant-server";

/** The time in which one tenant's port was closed, by `performance.now()`. */
export type Outage = {
  readonly tenant: TenantName;
  readonly from: number;
  readonly to: number;
  /** Attempts that ended at the closed port. */
  readonly refusals: number;
};

/**
 * What was not as promised in an outage: it must have been one, and the other tenant's calls of that time must have been
 * delivered within it.
 *
 * @param calls the calls that came in during the outage.
 */
export function checkOutage(
  outage: Outage,
  calls: readonly RecordedCall[],
  received: readonly Received[],
): readonly string[] {
  const problems = outage.refusals > 0 ? [] : [`Nothing was tried while ${outage.tenant} was down.`];
  for (const tenant of TENANTS.filter((name) => name !== outage.tenant)) {
    const ids = new Set(
      calls.filter((call) => call.tenant === tenant).flatMap(({ events }) => events.map(({ id }) => id)),
    );
    const inTime = new Set(received.filter(({ id, at }) => ids.has(id) && at <= outage.to).map(({ id }) => id));
    const late = ids.size - inTime.size;
    if (late > 0)
      problems.push(`${tenant} was held up by ${outage.tenant}: ${late} of its events were not there in time.`);
  }
  return problems;
}
