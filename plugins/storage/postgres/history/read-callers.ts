import type { SQL } from "bun";
import type { Callers } from "../../sql/why-unmatched";
import { bigints } from "../array-parameters";

/** More are not looked at of one call. */
const MAX_CALLERS = 500;

/** What is known of the callers of each of these calls. */
export async function readCallers(sql: SQL, calls: readonly string[]): Promise<ReadonlyMap<string, Callers>> {
  if (calls.length === 0) return new Map();
  const rows = await sql<{ call: string; has_hook: boolean; sid: string | null; host: string | null }[]>`
    select asked.call, exists (select 1 from call_hooks h where h.call = asked.call) as has_hook, p.sid, p.host
    from unnest(${bigints(sql, calls)}::bigint[]) as asked (call)
      left join lateral (
        select sid, host from participants p where p.call = asked.call and p.sip = 1 order by p.sid limit ${MAX_CALLERS}
      ) p on true`;
  return new Map(
    [...Map.groupBy(rows, ({ call }) => call)].map(([call, of]) => {
      const sip = of.flatMap(({ sid, host }) => (sid === null ? [] : { sid, host }));
      return [call, { hasHook: of[0]?.has_hook === true, sip }];
    }),
  );
}
