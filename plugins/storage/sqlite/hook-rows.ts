import type { Database } from "bun:sqlite";
import type { ChangeAuthor, HookChange, PausedHook } from "../../../src/contracts/storage";
import type { StoredHook } from "../../../src/domain/hook";
import type { HostPattern } from "../../../src/domain/host-pattern";
import { hookIdFrom, type HookId } from "../../../src/domain/ids";

type Change = (hooks: readonly StoredHook[]) => readonly StoredHook[];

/** The hooks added at run time, the record of their changes, and which hooks are paused. */
export class HookRows {
  readonly #statements;
  readonly #changeAll: (author: ChangeAuthor, change: Change) => HookChange;

  constructor(db: Database) {
    this.#statements = prepareStatements(db);
    this.#changeAll = db.transaction((author: ChangeAuthor, change: Change) => this.#change(author, change)).immediate;
  }

  read(): StoredHook[] {
    return this.#statements.all.all().map((row) => ({
      // Written by this program, so it is a pattern.
      host: row.host as HostPattern,
      url: row.url,
      ...(row.auth_id === null ? {} : { authId: row.auth_id }),
      ...(row.secret_ref === null ? {} : { secretRef: row.secret_ref }),
    }));
  }

  change(author: ChangeAuthor, change: Change): HookChange {
    return this.#changeAll(author, change);
  }

  changes(limit: number): HookChange[] {
    return this.#statements.changes.all(limit).map((row) => {
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
      this.#statements.put.run(host, hook.url, hook.authId ?? null, hook.secretRef ?? null);
      hosts.push({ host, ...(old === undefined ? {} : { before: old }), after: hook });
    }
    const row =
      hosts.length === 0
        ? this.#statements.lastVersion.get()
        : this.#statements.record.get(author.who, author.at, JSON.stringify(hosts));
    return { version: row?.version ?? 0, who: author.who, at: author.at, hosts };
  }
}

function prepareStatements(db: Database) {
  return {
    all: db.query<{ host: string; url: string; auth_id: string | null; secret_ref: string | null }, []>(
      "select host, url, auth_id, secret_ref from hooks order by position",
    ),
    put: db.query<unknown, [string, string, string | null, string | null]>(
      "insert into hooks (host, url, auth_id, secret_ref) values (?, ?, ?, ?) on conflict (host) do update set " +
        "url = excluded.url, auth_id = excluded.auth_id, secret_ref = excluded.secret_ref",
    ),
    remove: db.query<unknown, [string]>("delete from hooks where host = ?"),
    record: db.query<{ version: number }, [string, number, string]>(
      "insert into hook_changes (who, at, hosts) values (?, ?, ?) returning version",
    ),
    lastVersion: db.query<{ version: number }, []>("select coalesce(max(version), 0) as version from hook_changes"),
    changes: db.query<{ version: number; who: string; at: number; hosts: string }, [number]>(
      "select version, who, at, hosts from hook_changes order by version desc limit ?",
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
