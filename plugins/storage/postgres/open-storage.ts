import type { SQL } from "bun";
import type { Clock } from "../../../src/contracts/clock";
import type { Logger } from "../../../src/contracts/logger";
import { StorageOpenError } from "../sql/storage-open-error";
import { Database } from "./database";
import { Heads } from "./heads";
import { migrate } from "./migrations";
import { refuseUnfinishedCopy } from "./unfinished-copy";

export type OpenOptions = {
  readonly url: string;
  readonly clock: Clock;
  readonly log: Logger;
};

export type OpenStorage = { readonly database: Database; readonly heads: Heads; readonly close: () => Promise<void> };

/** For transactions and reads: a commit, some settlements and claims, and history at the same time. */
const CONNECTIONS = 8;
/** For pg-boss's own work. */
const JOB_CONNECTIONS = 2;

/**
 * Connects, and brings the database to the schema that this program needs.
 *
 * @throws StorageOpenError when that fails. Fails closed because a service that cannot keep events must not take them.
 */
export async function openStorage({ url, clock, log }: OpenOptions): Promise<OpenStorage> {
  const where = withoutPassword(url);
  const database = new Database({ url, clock, log, connections: CONNECTIONS });
  const jobs = new Database({ url, clock, log, connections: JOB_CONNECTIONS });
  const close = async () => {
    await jobs.close();
    await database.close();
  };
  try {
    const { from, to } = await migrate(database.sql);
    if (from > 0 && from < to) log.info({ from, to }, "The database was brought to a newer schema");
    if (from > to)
      log.info({ schema: from, own: to }, "The database has a newer schema, which works with this program");
    await refuseUnfinishedCopy(database.sql);
    await warnOfSkew(database.sql, clock, log);
    const heads = await Heads.start(jobs.jobClient(), log);
    log.info({ database: where }, "Storage is open");
    return {
      database,
      heads,
      close: async () => {
        await heads.stop();
        await close();
      },
    };
  } catch (error) {
    await close();
    if (error instanceof StorageOpenError) throw error;
    throw new StorageOpenError(
      `The database ${where} cannot be used: ${error instanceof Error ? error.message : String(error)}. ` +
        "Look whether Postgres runs there, whether user and password of storage (STORAGE_URL) are right, and whether that " +
        "user may make schemas and tables in the database.",
      { cause: error },
    );
  }
}

/** Instances whose clocks differ hand lanes to each other that much too early or too late. */
const MUCH_SKEW_MS = 1_000;

async function warnOfSkew(sql: SQL, clock: Clock, log: Logger): Promise<void> {
  const [row] = (await sql.unsafe("select (extract(epoch from clock_timestamp()) * 1000)::float8 as now")) as {
    now: number;
  }[];
  const skew = Math.round(clock.now() - (row?.now ?? 0));
  if (Math.abs(skew) > MUCH_SKEW_MS) {
    log.warn(
      { skew_ms: skew },
      "This machine's clock differs from the database's; retries are early or late by so much",
    );
  }
}

/** For logs and errors. */
export function withoutPassword(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined) return "in storage (STORAGE_URL)";
  const user = parsed.username === "" ? "" : `${parsed.username}@`;
  return `${parsed.protocol}//${user}${parsed.host}${parsed.pathname}`;
}
