import type { Database } from "bun:sqlite";
import type { ChangeAuthor, HookChange, KnownHook, PausedHook } from "../../../src/contracts/storage";
import type { CredentialRefs } from "../../../src/domain/credentials";
import type { OwnPolicy } from "../../../src/domain/delivery-policy";
import { hookId, type StoredHook } from "../../../src/domain/hook";
import type { HostPattern } from "../../../src/domain/host-pattern";
import { hookIdFrom, type HookId } from "../../../src/domain/ids";

type Change = (hooks: readonly StoredHook[]) => readonly StoredHook[];

/** The hooks added at run time, the record of their changes, and which hooks are paused. */
export class HookRows {
  readonly #statements;
  readonly #changeAll: (author: ChangeAuthor, change: Change) => HookChange;
  readonly #rememberAll: (hooks: readonly KnownHook[]) => void;

  constructor(db: Database) {
    this.#statements = prepareStatements(db);
    this.#rememberAll = db.transaction((hooks: readonly KnownHook[]) => {
      for (const { id, host, authId } of hooks) this.#addKnown(id, host, authId ?? null);
    }).immediate;
    this.#changeAll = db.transaction((author: ChangeAuthor, change: Change) => this.#change(author, change)).immediate;
  }

  read(): StoredHook[] {
    return this.#statements.all.all().map((row) => ({
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
    }));
  }

  remember(hooks: readonly KnownHook[]): void {
    const unknown = hooks.filter(({ id }) => this.#statements.isKnown.get(id) === null);
    if (unknown.length > 0) this.#rememberAll(unknown);
  }

  #addKnown(hook: HookId, host: HostPattern, authId: string | null): void {
    const { changes } = this.#statements.addKnown.run(hook, host, authId);
    if (changes === 0 || authId === null) return;
    // What was made when nobody remembered hooks yet.
    this.#statements.adoptDeliveries.run(authId, hook);
    this.#statements.adoptCalls.run(authId, hook);
  }

  change(author: ChangeAuthor, change: Change): HookChange {
    return this.#changeAll(author, change);
  }

  changes(limit: number, before = Number.MAX_SAFE_INTEGER): HookChange[] {
    return this.#statements.changes.all(before, limit).map((row) => {
      return { version: row.version, who: row.who, at: row.at, hosts: JSON.parse(row.hosts) as HookChange["hosts"] };
    });
  }

  paused(): PausedHook[] {
    return this.#statements.paused.all().map((row) => ({ ...row, hook: hookIdFrom(row.hook) }));
  }

  pause(hook: HookId, reason: string, at: number): void {
    this.#statements.pause.run(hook, reason, at);
  }

  resume(hook: HookId): void {
    this.#statements.resume.run(hook);
  }

  #change(author: ChangeAuthor, change: Change): HookChange {
    const before = new Map(this.read().map((hook) => [hook.host, hook]));
    const after = new Map(change([...before.values()]).map((hook) => [hook.host, hook]));
    const hosts: { host: string; before?: StoredHook; after?: StoredHook }[] = [];
    for (const [host, old] of before) {
      if (after.has(host)) continue;
      this.#statements.remove.run(host);
      hosts.push({ host, before: old });
    }
    for (const [host, hook] of after) {
      const old = before.get(host);
      if (old !== undefined && Bun.deepEquals(old, hook)) continue;
      this.#statements.put.run(
        host,
        hook.url,
        hook.authId ?? null,
        hook.secretRef ?? null,
        hook.previousSecret === undefined ? null : JSON.stringify(hook.previousSecret),
        hook.credentials === undefined ? null : JSON.stringify(hook.credentials),
        hook.policy === undefined ? null : JSON.stringify(hook.policy),
      );
      hosts.push({ host, ...(old === undefined ? {} : { before: old }), after: hook });
    }
    // Here, so that no delivery can be made before its tenant is known.
    for (const { after: hook } of hosts) {
      if (hook !== undefined) this.#addKnown(hookId(hook.host, hook.authId), hook.host, hook.authId ?? null);
    }
    const row =
      hosts.length === 0
        ? this.#statements.lastVersion.get()
        : this.#statements.record.get(author.who, author.at, JSON.stringify(hosts));
    return { version: row?.version ?? 0, who: author.who, at: author.at, hosts };
  }
}

type HookRow = {
  host: string;
  url: string;
  auth_id: string | null;
  secret_ref: string | null;
  previous_secret: string | null;
  credentials: string | null;
  policy: string | null;
};

function prepareStatements(db: Database) {
  return {
    all: db.query<HookRow, []>(
      "select host, url, auth_id, secret_ref, previous_secret, credentials, policy from hooks order by position",
    ),
    put: db.query<unknown, [string, string, ...(string | null)[]]>(
      "insert into hooks (host, url, auth_id, secret_ref, previous_secret, credentials, policy) values (?, ?, ?, ?, ?, ?, ?) " +
        "on conflict (host) do update set url = excluded.url, auth_id = excluded.auth_id, " +
        "secret_ref = excluded.secret_ref, previous_secret = excluded.previous_secret, credentials = excluded.credentials, policy = excluded.policy",
    ),
    remove: db.query<unknown, [string]>("delete from hooks where host = ?"),
    record: db.query<{ version: number }, [string, number, string]>(
      "insert into hook_changes (who, at, hosts) values (?, ?, ?) returning version",
    ),
    lastVersion: db.query<{ version: number }, []>("select coalesce(max(version), 0) as version from hook_changes"),
    changes: db.query<{ version: number; who: string; at: number; hosts: string }, [number, number]>(
      "select version, who, at, hosts from hook_changes where version < ? order by version desc limit ?",
    ),
    isKnown: db.query<{ hook: string }, [string]>("select hook from known_hooks where hook = ?"),
    addKnown: db.query<unknown, [string, string, string | null]>(
      "insert or ignore into known_hooks (hook, host, auth_id) values (?, ?, ?)",
    ),
    adoptDeliveries: db.query<unknown, [string, string]>(
      "update deliveries set tenant = ? where hook = ? and tenant is null",
    ),
    adoptCalls: db.query<unknown, [string, string]>(
      "update call_hooks set tenant = ? where hook = ? and tenant is null",
    ),
    paused: db.query<{ hook: string; reason: string; since: number }, []>(
      "select hook, reason, since from paused_hooks order by hook",
    ),
    pause: db.query<unknown, [string, string, number]>(
      "insert into paused_hooks (hook, reason, since) values (?, ?, ?) on conflict (hook) do nothing",
    ),
    resume: db.query<unknown, [string]>("delete from paused_hooks where hook = ?"),
  };
}
