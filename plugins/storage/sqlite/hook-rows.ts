import type { Database } from "bun:sqlite";
import { inSlices } from "../../../src/contracts/in-slices";
import type { Page, PageRequest } from "../../../src/contracts/history";
import type { HookReplacement, KnownHook, PresentHooks } from "../../../src/contracts/storage";
import { hookId, type StoredHook } from "../../../src/domain/hook";
import type { HostPattern } from "../../../src/domain/host-pattern";
import type { HookId } from "../../../src/domain/ids";
import { readCursor, writeCursor } from "../sql/cursor";
import { HOOK_COLUMNS, toStoredHook, type HookRow } from "../sql/hook-row";
import { prepare } from "./prepare";

/** Hosts that are looked up in a row: 100 scattered ones take half a millisecond (measured). */
const HOSTS_AT_A_TIME = 200;

/** The hooks added at run time, and those that are remembered. */
export class HookRows {
  readonly #statements;
  readonly #rememberAll: (hooks: readonly KnownHook[]) => void;

  constructor(db: Database) {
    this.#statements = prepareStatements(db);
    this.#rememberAll = db.transaction((hooks: readonly KnownHook[]) => {
      for (const hook of hooks) this.#addKnown(hook);
    }).immediate;
  }

  /** In the order of their addition. */
  page({ limit, after }: PageRequest): Page<StoredHook> {
    const [position = 0] = after === undefined ? [] : readCursor(after, 1);
    const rows = this.#statements.page.all(position, limit);
    const last = rows.at(-1);
    const isLast = last === undefined || rows.length < limit;
    return { entries: rows.map(toStoredHook), next: isLast ? undefined : writeCursor([Number(last.position)]) };
  }

  /** What these hosts have now. */
  async present(hosts: readonly HostPattern[]): Promise<PresentHooks> {
    const present = new Map<HostPattern, StoredHook | undefined>();
    await inSlices(hosts, HOSTS_AT_A_TIME, (slice) => {
      for (const host of slice) {
        const row = this.#statements.ofHost.get(host);
        present.set(host, row === null ? undefined : toStoredHook(row));
      }
    });
    return present;
  }

  /** Writes what these hosts are to have, and remembers new hooks; call it inside a transaction. */
  write(replacements: Iterable<HookReplacement>): void {
    for (const { host, after } of replacements) {
      if (after === undefined) {
        this.#statements.remove.run(host);
        continue;
      }
      this.#put(after);
      // With it, so that no delivery can be made before its tenant is known.
      this.#addKnown({ ...after, id: hookId(host, after.authId) });
    }
  }

  /** True when no hook is remembered at all. */
  knowsNone(): boolean {
    return this.#statements.anyKnown.get() === null;
  }

  remember(hooks: readonly KnownHook[]): void {
    const unknown = hooks.filter(({ id }) => this.#statements.isKnown.get(id) === null);
    if (unknown.length > 0) this.#rememberAll(unknown);
  }

  #put(hook: StoredHook): void {
    this.#statements.put.run(
      hook.host,
      hook.url,
      hook.authId ?? null,
      hook.secretRef ?? null,
      toJson(hook.previousSecret),
      toJson(hook.credentials),
      toJson(hook.policy),
      toJson(hook.operatorPolicy),
    );
  }

  #addKnown({ id, host, authId }: KnownHook): void {
    const { changes } = this.#statements.addKnown.run(id, host, authId ?? null);
    if (changes === 0 || authId === undefined) return;
    // What was made when nobody remembered hooks yet.
    this.#statements.adoptDeliveries.run(authId, id);
    this.#statements.adoptCalls.run(authId, id);
  }
}

const toJson = (value: object | undefined): string | null => (value === undefined ? null : JSON.stringify(value));

function prepareStatements(db: Database) {
  return {
    page: prepare<HookRow, [number, number]>(
      db,
      `select position, ${HOOK_COLUMNS} from hooks where position > ? order by position limit ?`,
    ),
    ofHost: prepare<HookRow, [string]>(db, `select position, ${HOOK_COLUMNS} from hooks where host = ?`),
    put: prepare<unknown, [string, string, ...(string | null)[]]>(
      db,
      `insert into hooks (${HOOK_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?) ` +
        "on conflict (host) do update set url = excluded.url, auth_id = excluded.auth_id, secret_ref = excluded.secret_ref, " +
        "previous_secret = excluded.previous_secret, credentials = excluded.credentials, policy = excluded.policy, " +
        "operator_policy = excluded.operator_policy",
    ),
    remove: prepare<unknown, [string]>(db, "delete from hooks where host = ?"),
    anyKnown: prepare<{ hook: string }, []>(db, "select hook from known_hooks limit 1"),
    isKnown: prepare<{ hook: string }, [string]>(db, "select hook from known_hooks where hook = ?"),
    addKnown: prepare<unknown, [HookId, string, string | null]>(
      db,
      "insert or ignore into known_hooks (hook, host, auth_id) values (?, ?, ?)",
    ),
    adoptDeliveries: prepare<unknown, [string, string]>(
      db,
      "update deliveries set tenant = ? where hook = ? and tenant is null",
    ),
    adoptCalls: prepare<unknown, [string, string]>(
      db,
      "update call_hooks set tenant = ? where hook = ? and tenant is null",
    ),
  };
}
