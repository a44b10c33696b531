import type { PausedHook } from "../../../src/contracts/storage";
import { hookIdFrom, type HookId } from "../../../src/domain/ids";
import type { Database } from "./database";
import { storableText } from "./storable-text";

/** Which hooks are paused. Each list is taken in the order of its ids, so that no two instances wait in a circle. */
export class PausedHooks {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async all(): Promise<PausedHook[]> {
    const rows = await this.#database.rows<{ hook: string; reason: string; since: string }>(
      "select hook, reason, since from paused_hooks order by hook",
    );
    return rows.map(({ hook, reason, since }) => ({ hook: hookIdFrom(hook), reason, since: Number(since) }));
  }

  async pause(hooks: readonly HookId[], reason: string, at: number): Promise<void> {
    await this.#database.rows(
      `insert into paused_hooks (hook, reason, since) select hook, $2, $3::bigint from json_array_elements_text($1::text::json) as hook
       order by hook on conflict (hook) do nothing`,
      [JSON.stringify(hooks), storableText(reason), at],
    );
  }

  async resume(hooks: readonly HookId[]): Promise<void> {
    await this.#database.rows(
      `delete from paused_hooks where hook in (select hook from paused_hooks
         where hook in (select json_array_elements_text($1::text::json)) order by hook for update)`,
      [JSON.stringify(hooks)],
    );
  }
}
