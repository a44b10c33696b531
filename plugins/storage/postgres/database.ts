import { SQL, type TransactionSQL } from "bun";
import type { Clock } from "../../../src/contracts/clock";
import type { Logger } from "../../../src/contracts/logger";
import { SCHEMA } from "./migrations";

export type DatabaseOptions = {
  /** `postgres://user:password@host:port/database`; `?sslmode=` as libpq takes it. */
  readonly url: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Connections of this instance at most, beside the one that listens. */
  readonly connections: number;
};

/** Of a statement, at the server. Ours take milliseconds; what takes longer waits for a disk or a lock. */
const STATEMENT_MS = 6_000;
const LOCK_MS = 3_000;
/** A client that is gone without a word keeps its locks no longer than this. */
const IDLE_IN_TRANSACTION_MS = 10_000;
/**
 * Of a whole operation, here: a server that has gone silent (a cable cut, a stalled proxy) ends no statement and closes no
 * connection. LiveKit waits for its answer meanwhile, so the event is better refused and taken again.
 */
const OPERATION_MS = 8_000;
/** Of one of pg-boss's own, of which some are maintenance. */
const JOB_OPERATION_MS = 20_000;
const CONNECT_SECONDS = 5;
/**
 * The server's default, 4, is for disks that turn: a table of less than some 50,000 rows is then read whole to find a batch's
 * rows by their ids, in each transaction (measured: 6 ms of `lanes`, and a third fewer deliveries a second).
 */
const RANDOM_PAGE_COST = 1.1;
/**
 * What may simply be run again: of two that wait for each other Postgres ends one; and what a transaction refers to may have
 * been removed by retention since it was read.
 */
const MAY_BE_RUN_AGAIN = new Set(["40P01", "40001", "23503"]);
const RUNS = 3;

/** The server did not answer in time. What was asked for may have been done or not. */
export class DatabaseSilent extends Error {
  constructor(ms: number) {
    super(`the database did not answer within ${ms / 1000} s`);
    this.name = "DatabaseSilent";
  }
}

/** The connections to Postgres. Bun opens them when they are needed, and anew when they are lost. */
export class Database {
  /** Stays the same object when the connections are replaced. */
  readonly sql: SQL;
  readonly #options: DatabaseOptions;
  readonly #onReplaced: (() => void)[] = [];
  #pool: SQL;
  #closed = false;

  constructor(options: DatabaseOptions) {
    this.#options = options;
    this.#pool = openPool(options);
    this.sql = forwarding(() => this.#pool);
  }

  /**
   * Runs one transaction, and again when it was the one that Postgres ended to let another go on.
   *
   * @throws what `run` throws, and the database's errors: nothing was changed then; except after a lost connection or
   *   `DatabaseSilent`, when that is not known.
   */
  async transaction<Result>(run: (tx: TransactionSQL) => Promise<Result>): Promise<Result> {
    for (let left = RUNS - 1; ; left--) {
      try {
        return await this.within(OPERATION_MS, (sql) => sql.begin((tx) => run(tx)) as Promise<Result>);
      } catch (error) {
        if (left === 0 || !MAY_BE_RUN_AGAIN.has(sqlState(error) ?? "")) throw error;
      }
    }
  }

  /** Rows of one statement. */
  async rows<Row>(statement: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return this.within(OPERATION_MS, (sql) => sql.unsafe(statement, [...parameters]) as unknown as Promise<Row[]>);
  }

  /** For pg-boss: a client whose statements end in time, too. */
  jobClient() {
    return {
      unsafe: (text: string, values?: unknown[]) => {
        return this.within<unknown>(JOB_OPERATION_MS, async (sql) => sql.unsafe(text, values));
      },
      reserve: () => this.sql.reserve(),
    };
  }

  /** Calls back when the connections were replaced, and what was bound to one of them is gone. */
  onReplaced(listener: () => void): void {
    this.#onReplaced.push(listener);
  }

  /** What does not answer in time is given up together with its connections, which are likely to be dead as well. */
  async within<Result>(ms: number, run: (sql: SQL) => Promise<Result>): Promise<Result> {
    const pool = this.#pool;
    let cancel = () => {};
    const silence = new Promise<never>((_, reject) => {
      cancel = this.#options.clock.after(ms, () => {
        reject(new DatabaseSilent(ms));
        this.#replace(pool);
      });
    });
    const result = run(pool);
    try {
      return await Promise.race([result, silence]);
    } finally {
      cancel();
      // When the time was up first, how it ends is of no interest any more.
      result.catch(() => {});
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#pool.close({ timeout: 1 });
  }

  #replace(silent: SQL): void {
    if (this.#closed || silent !== this.#pool) return;
    this.#options.log.error({}, "The database is silent; it is connected to anew");
    this.#pool = openPool(this.#options);
    void silent.close({ timeout: 0 }).catch(() => {});
    for (const listener of this.#onReplaced) listener();
  }
}

/** The SQLSTATE of an error; see https://www.postgresql.org/docs/current/errcodes-appendix.html. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof SQL.PostgresError ? error.errno : undefined;
}

function openPool({ url, connections }: DatabaseOptions): SQL {
  return new SQL({
    url,
    adapter: "postgres",
    max: connections,
    connectionTimeout: CONNECT_SECONDS,
    connection: {
      application_name: "sayna-sip",
      search_path: SCHEMA,
      synchronous_commit: "on",
      statement_timeout: STATEMENT_MS,
      lock_timeout: LOCK_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
      random_page_cost: RANDOM_PAGE_COST,
    },
  });
}

/** An SQL client that hands everything on to the one of the moment. */
function forwarding(current: () => SQL): SQL {
  return new Proxy(current(), {
    apply: (_, __, parameters) => Reflect.apply(current(), undefined, parameters),
    get: (_, name) => {
      const value: unknown = Reflect.get(current(), name);
      return typeof value === "function" ? value.bind(current()) : value;
    },
  });
}
