import type { TransactionSQL } from "bun";
import type { Page, PageRequest } from "../../../src/contracts/history";
import type { HookReplacement, KnownHook } from "../../../src/contracts/storage";
import { hookId, type StoredHook } from "../../../src/domain/hook";
import type { HostPattern } from "../../../src/domain/host-pattern";
import { readCursor, writeCursor } from "../sql/cursor";
import { HOOK_COLUMNS, toStoredHook, type HookRow } from "../sql/hook-row";
import type { Database } from "./database";

type Sql = Pick<TransactionSQL, "unsafe">;

/** The hooks added at run time, in the order of their addition. */
export async function pageOfHooks(database: Database, { limit, after }: PageRequest): Promise<Page<StoredHook>> {
  const [position = 0] = after === undefined ? [] : readCursor(after, 1);
  const rows = await database.rows<HookRow>(
    `select position, ${HOOK_COLUMNS} from hooks where position > $1 order by position limit $2`,
    [position, limit],
  );
  const last = rows.at(-1);
  const isLast = last === undefined || rows.length < limit;
  return { entries: rows.map(toStoredHook), next: isLast ? undefined : writeCursor([Number(last.position)]) };
}

/** What these hosts have now; those without a hook are absent. */
export async function hooksOf(tx: Sql, hosts: readonly HostPattern[]): Promise<ReadonlyMap<HostPattern, StoredHook>> {
  const rows = (await tx.unsafe(
    `select position, ${HOOK_COLUMNS} from hooks where host in (select json_array_elements_text($1::text::json))`,
    [JSON.stringify(hosts)],
  )) as HookRow[];
  return new Map(rows.map(toStoredHook).map((hook) => [hook.host, hook]));
}

/** Writes what these hosts are to have, each named once, and remembers new hooks. */
export async function writeHooks(tx: Sql, replacements: readonly HookReplacement[]): Promise<void> {
  const removed = replacements.flatMap(({ host, after }) => (after === undefined ? [host] : []));
  if (removed.length > 0) {
    await tx.unsafe("delete from hooks where host in (select json_array_elements_text($1::text::json))", [
      JSON.stringify(removed),
    ]);
  }
  const put = replacements.flatMap(({ after }) => after ?? []);
  await putHooks(tx, put);
  // Here, so that no delivery can be made before its tenant is known.
  await addKnown(
    tx,
    put.map(({ host, authId }) => ({ id: hookId(host, authId), host, ...(authId === undefined ? {} : { authId }) })),
  );
}

/** See `Storage.rememberHooks`. */
export async function rememberHooks(database: Database, hooks: readonly KnownHook[]): Promise<void> {
  if (hooks.length === 0) return;
  // Every instance does this at its start: most of the time there is nothing to write.
  const unknown = await database.rows<{ hook: string }>(
    "select x.hook from json_to_recordset($1::text::json) as x (hook text) " +
      "where not exists (select 1 from known_hooks k where k.hook = x.hook)",
    [JSON.stringify(hooks.map(({ id }) => ({ hook: id })))],
  );
  const wanted = new Set(unknown.map(({ hook }) => hook));
  const missing = hooks.filter(({ id }) => wanted.has(id));
  if (missing.length > 0) await database.transaction((tx) => addKnown(tx, missing));
}

async function putHooks(tx: Sql, hooks: readonly StoredHook[]): Promise<void> {
  if (hooks.length === 0) return;
  const json = (value: object | undefined) => (value === undefined ? undefined : JSON.stringify(value));
  const rows = hooks.map(
    ({ host, url, authId, secretRef, previousSecret, credentials, policy, operatorPolicy }, ord) => ({
      ord,
      host,
      url,
      auth_id: authId,
      secret_ref: secretRef,
      previous_secret: json(previousSecret),
      credentials: json(credentials),
      policy: json(policy),
      operator_policy: json(operatorPolicy),
    }),
  );
  await tx.unsafe(
    `insert into hooks (${HOOK_COLUMNS}) select ${HOOK_COLUMNS}
     from json_to_recordset($1::text::json) as x (ord integer, host text, url text, auth_id text, secret_ref text,
       previous_secret text, credentials text, policy text, operator_policy text) order by ord
     on conflict (host) do update set url = excluded.url, auth_id = excluded.auth_id, secret_ref = excluded.secret_ref,
       previous_secret = excluded.previous_secret, credentials = excluded.credentials, policy = excluded.policy,
       operator_policy = excluded.operator_policy`,
    [JSON.stringify(rows)],
  );
}

async function addKnown(tx: Sql, hooks: readonly KnownHook[]): Promise<void> {
  if (hooks.length === 0) return;
  const known = [JSON.stringify(hooks.map(({ id, host, authId }) => ({ hook: id, host, auth_id: authId })))];
  const rows = "json_to_recordset($1::text::json) as x (hook text, host text, auth_id text)";
  const added = (await tx.unsafe(
    `insert into known_hooks (hook, host, auth_id) select distinct on (hook) hook, host, auth_id from ${rows} order by hook
     on conflict do nothing returning hook`,
    known,
  )) as unknown[];
  if (added.length === 0) return;
  // What was made before anybody remembered the hook.
  for (const table of ["deliveries", "call_hooks"]) {
    await tx.unsafe(
      `update ${table} t set tenant = x.auth_id from ${rows} where t.hook = x.hook and t.tenant is null and x.auth_id is not null`,
      known,
    );
  }
}
