import { Database, type Statement } from "bun:sqlite";

const RUNNING = new Set<string | symbol>(["run", "get", "all", "values", "iterate"]);

/**
 * Watches every statement that anything in this process prepares from now on: which were prepared, which were run, and one of
 * them can be made to fail. By its text, so that one is not taken for another of the same table.
 */
export function watchStatements() {
  const prepared = new Set<string>();
  const ran = new Map<string, number>();
  let failing: { readonly sql: string; left: number } | undefined;
  const original = Database.prototype.query;
  function query(this: Database, sql: string): Statement {
    prepared.add(sql);
    return watched(original.call(this, sql), () => {
      ran.set(sql, (ran.get(sql) ?? 0) + 1);
      if (sql === failing?.sql && --failing.left === 0) throw new Error("injected write error");
    });
  }
  Object.defineProperty(Database.prototype, "query", { value: query, configurable: true, writable: true });

  return {
    prepared: prepared as ReadonlySet<string>,
    /** How often each was run. */
    ran: ran as ReadonlyMap<string, number>,
    forgetRun: () => ran.clear(),
    /** Makes the nth run of this one from now fail, before it does anything. */
    fail(sql: string, nth: number): void {
      failing = { sql, left: nth };
    },
    end(): void {
      Object.defineProperty(Database.prototype, "query", { value: original, configurable: true, writable: true });
    },
  };
}

function watched(statement: Statement, onRun: () => void): Statement {
  return new Proxy(statement, {
    get(target, name): unknown {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      return (...args: unknown[]): unknown => {
        if (RUNNING.has(name)) onRun();
        return Reflect.apply(member, target, args);
      };
    },
  });
}
