import type { TransactionSQL } from "bun";
import type { ChangeAuthor, HookChange, KnownHook, PausedHook } from "../../../src/contracts/storage";
import type { CredentialRefs } from "../../../src/domain/credentials";
import type { OwnPolicy } from "../../../src/domain/delivery-policy";
import { hookId, type StoredHook } from "../../../src/domain/hook";
import type { HostPattern } from "../../../src/domain/host-pattern";
import { hookIdFrom, type HookId } from "../../../src/domain/ids";
import type { Database } from "./database";
import { lockAll } from "./locks";
import { storableText } from "./storable-text";

type Change = (hooks: readonly StoredHook[]) => readonly StoredHook[];
type Sql = Pick<TransactionSQL, "unsafe">;

/** The hooks added at run time, the record of their changes, and which hooks are paused. */
export class HookRows {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async read(): Promise<StoredHook[]> {
    return (await this.#database.rows<HookRow>(ALL)).map(toStoredHook);
  }

  async remember(hooks: readonly KnownHook[]): Promise<void> {
    if (hooks.length === 0) return;
    // Every instance does this at its start: most of the time there is nothing to write.
    const unknown = await this.#database.rows<{ hook: string }>(
      "select x.hook from json_to_recordset($1::text::json) as x (hook text) " +
        "where not exists (select 1 from known_hooks k where k.hook = x.hook)",
      [JSON.stringify(hooks.map(({ id }) => ({ hook: id })))],
    );
    const wanted = new Set(unknown.map(({ hook }) => hook));
    const missing = hooks.filter(({ id }) => wanted.has(id));
    if (missing.length > 0) await this.#database.transaction((tx) => addKnown(tx, missing));
  }

  /** See `Storage.changeHooks`: one change after the other, whichever instance makes it. */
  async change(author: ChangeAuthor, change: Change): Promise<HookChange> {
    return this.#database.transaction(async (tx) => {
      await lockAll(tx, ["hooks"]);
      const rows = (await tx.unsafe(ALL)) as HookRow[];
      const before = new Map(rows.map(toStoredHook).map((hook) => [hook.host, hook]));
      const after = new Map(change([...before.values()]).map((hook) => [hook.host, hook]));
      const hosts = [...differences(before, after)];
      const removed = hosts.filter((host) => host.after === undefined).map(({ host }) => ({ host }));
      if (removed.length > 0) {
        await tx.unsafe(
          "delete from hooks where host in (select host from json_to_recordset($1::text::json) as x (host text))",
          [JSON.stringify(removed)],
        );
      }
      const put = hosts.flatMap((host) => host.after ?? []);
      await putHooks(tx, put);
      // Here, so that no delivery can be made before its tenant is known.
      await addKnown(
        tx,
        put.map(({ host, authId }) => ({
          id: hookId(host, authId),
          host,
          ...(authId === undefined ? {} : { authId }),
        })),
      );
      const version = await (hosts.length === 0 ? lastVersion(tx) : record(tx, author, hosts));
      return { version, who: author.who, at: author.at, hosts };
    });
  }

  async changes(limit: number, before = Number.MAX_SAFE_INTEGER): Promise<HookChange[]> {
    const rows = await this.#database.rows<{ version: string; who: string; at: string; hosts: string }>(
      "select version, who, at, hosts from hook_changes where version < $1 order by version desc limit $2",
      [before, limit],
    );
    return rows.map(({ version, who, at, hosts }) => {
      return { version: Number(version), who, at: Number(at), hosts: JSON.parse(hosts) as HookChange["hosts"] };
    });
  }

  /** Another one when hooks were changed, paused or resumed. */
  async revision(): Promise<string> {
    const [row] = await this.#database.rows<{ revision: string }>(
      "select concat((select max(version) from hook_changes), ' ', " +
        "(select md5(string_agg(hook, ' ' order by hook)) from paused_hooks)) as revision",
    );
    return row?.revision ?? "";
  }

  async paused(): Promise<PausedHook[]> {
    const rows = await this.#database.rows<{ hook: string; reason: string; since: string }>(
      "select hook, reason, since from paused_hooks order by hook",
    );
    return rows.map(({ hook, reason, since }) => ({ hook: hookIdFrom(hook), reason, since: Number(since) }));
  }

  async pause(hook: HookId, reason: string, at: number): Promise<void> {
    await this.#database.rows(
      "insert into paused_hooks (hook, reason, since) values ($1, $2, $3) on conflict (hook) do nothing",
      [hook, storableText(reason), at],
    );
  }

  async resume(hook: HookId): Promise<void> {
    await this.#database.rows("delete from paused_hooks where hook = $1", [hook]);
  }
}

type ChangedHost = HookChange["hosts"][number];

/** What is gone first, then what is new or another one. */
function* differences(
  before: ReadonlyMap<string, StoredHook>,
  after: ReadonlyMap<string, StoredHook>,
): Generator<ChangedHost> {
  for (const [host, old] of before) if (!after.has(host)) yield { host, before: old };
  for (const [host, hook] of after) {
    const old = before.get(host);
    if (old === undefined) yield { host, after: hook };
    else if (!Bun.deepEquals(old, hook)) yield { host, before: old, after: hook };
  }
}

async function putHooks(tx: Sql, hooks: readonly StoredHook[]): Promise<void> {
  if (hooks.length === 0) return;
  const json = (value: object | undefined) => (value === undefined ? undefined : JSON.stringify(value));
  const rows = hooks.map(({ host, url, authId, secretRef, previousSecret, credentials, policy }, ord) => ({
    ord,
    host,
    url,
    auth_id: authId,
    secret_ref: secretRef,
    previous_secret: json(previousSecret),
    credentials: json(credentials),
    policy: json(policy),
  }));
  await tx.unsafe(
    `insert into hooks (host, url, auth_id, secret_ref, previous_secret, credentials, policy)
     select host, url, auth_id, secret_ref, previous_secret, credentials, policy
     from json_to_recordset($1::text::json) as x (ord integer, host text, url text, auth_id text, secret_ref text,
       previous_secret text, credentials text, policy text) order by ord
     on conflict (host) do update set url = excluded.url, auth_id = excluded.auth_id, secret_ref = excluded.secret_ref,
       previous_secret = excluded.previous_secret, credentials = excluded.credentials, policy = excluded.policy`,
    [JSON.stringify(rows)],
  );
}

async function addKnown(tx: Sql, hooks: readonly KnownHook[]): Promise<void> {
  if (hooks.length === 0) return;
  const known = [JSON.stringify(hooks.map(({ id, host, authId }) => ({ hook: id, host, auth_id: authId })))];
  const rows = "json_to_recordset($1::text::json) as x (hook text, host text, auth_id text)";
  await tx.unsafe(
    `insert into known_hooks (hook, host, auth_id) select distinct on (hook) hook, host, auth_id from ${rows} order by hook
     on conflict do nothing`,
    known,
  );
  // What was made before anybody remembered the hook.
  for (const table of ["deliveries", "call_hooks"]) {
    await tx.unsafe(
      `update ${table} t set tenant = x.auth_id from ${rows} where t.hook = x.hook and t.tenant is null and x.auth_id is not null`,
      known,
    );
  }
}

async function record(tx: Sql, { who, at }: ChangeAuthor, hosts: readonly ChangedHost[]): Promise<number> {
  const [row] = (await tx.unsafe(
    "insert into hook_changes (version, who, at, hosts) overriding system value " +
      // Without gaps: a sequence would leave one where a change was undone.
      "values ((select coalesce(max(version), 0) + 1 from hook_changes), $1, $2, $3) returning version",
    [storableText(who), at, JSON.stringify(hosts)],
  )) as { version: string }[];
  return Number(row?.version ?? 0);
}

async function lastVersion(tx: Sql): Promise<number> {
  const [row] = (await tx.unsafe("select coalesce(max(version), 0) as version from hook_changes")) as {
    version: string;
  }[];
  return Number(row?.version ?? 0);
}

type HookRow = {
  readonly host: string;
  readonly url: string;
  readonly auth_id: string | null;
  readonly secret_ref: string | null;
  readonly previous_secret: string | null;
  readonly credentials: string | null;
  readonly policy: string | null;
};

const ALL = "select host, url, auth_id, secret_ref, previous_secret, credentials, policy from hooks order by position";

function toStoredHook(row: HookRow): StoredHook {
  return {
    // Written by this program, so it is a pattern.
    host: row.host as HostPattern,
    url: row.url,
    ...(row.auth_id === null ? {} : { authId: row.auth_id }),
    ...(row.secret_ref === null ? {} : { secretRef: row.secret_ref }),
    ...(row.previous_secret === null
      ? {}
      : { previousSecret: JSON.parse(row.previous_secret) as NonNullable<StoredHook["previousSecret"]> }),
    ...(row.credentials === null ? {} : { credentials: JSON.parse(row.credentials) as CredentialRefs }),
    ...(row.policy === null ? {} : { policy: JSON.parse(row.policy) as OwnPolicy }),
  };
}
