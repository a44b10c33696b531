import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { SQL } from "bun";
import { createPostgresStorage, StorageOpenError } from "../../../../plugins/storage/postgres";
import { SCHEMA_VERSION } from "../../../../plugins/storage/postgres/migrations";
import { systemClock } from "../../../../src/contracts/clock";
import { emptyDatabase, killableServer, run } from "../../../support/postgres";
import { ManualClock } from "../../../support/manual-clock";
import { recordingLog } from "../../../support/recording-log";
import { silentLog } from "../../../support/silent-log";
import { testCa, type Certificate } from "../../../support/test-ca";

let url: string;
let remove: () => Promise<void>;

beforeEach(async () => {
  ({ url, remove } = await emptyDatabase());
});

afterEach(() => remove());

const open = (its = url) => createPostgresStorage({ url: its, clock: new ManualClock(), log: silentLog });

async function refusal(its = url): Promise<string> {
  try {
    await (await open(its)).close();
  } catch (error) {
    expect(error).toBeInstanceOf(StorageOpenError);
    return error instanceof Error ? error.message : "";
  }
  throw new Error("it was opened");
}

async function select(statement: string): Promise<Record<string, unknown>[]> {
  const sql = new SQL({ url, max: 1 });
  try {
    return [...((await sql.unsafe(statement)) as Record<string, unknown>[])];
  } finally {
    await sql.close();
  }
}

describe("an empty database", () => {
  test("is set up once, however many instances start at the same time", async () => {
    const storages = await Promise.all([open(), open(), open(), open()]);
    for (const storage of storages) await storage.checkWritable();
    await Promise.all(storages.map((storage) => storage.close()));
    expect(await select("select version from sayna_sip.migrations order by version")).toEqual(
      Array.from({ length: SCHEMA_VERSION }, (_, i) => ({ version: i + 1 })),
    );
  });

  test("may be one whose owner has made the schemas and lets nobody make others", async () => {
    const user = `sayna_sip_${process.pid}`;
    await run(url, `create role ${user} login password 'of-the-user'`);
    try {
      await run(
        url,
        `create schema sayna_sip authorization ${user}; create schema sayna_sip_jobs authorization ${user};
         revoke create on schema public from public`,
      );
      const theirs = new URL(url);
      theirs.username = user;
      theirs.password = "of-the-user";
      const storage = await open(theirs.href);
      await storage.checkWritable();
      await storage.close();
    } finally {
      await run(url, `drop owned by ${user} cascade; drop role ${user}`);
    }
  });
});

describe("a database of another version", () => {
  test("that works with this program is used: an upgrade goes on beside it", async () => {
    await (await open()).close();
    await run(
      url,
      `insert into sayna_sip.migrations (version, works_with) values (${SCHEMA_VERSION + 1}, ${SCHEMA_VERSION})`,
    );
    const storage = await open();
    await storage.checkWritable();
    await storage.close();
  });

  test("that does not is refused, and says what to run", async () => {
    await (await open()).close();
    const version = SCHEMA_VERSION + 2;
    await run(url, `insert into sayna_sip.migrations (version, works_with) values (${version}, ${SCHEMA_VERSION + 1})`);
    expect(await refusal()).toContain(
      `schema version ${version}, which works with programs of schema version ${SCHEMA_VERSION + 1} or newer`,
    );
  });
});

describe("sslmode", () => {
  async function withServer(
    certificate: Certificate | undefined,
    check: (its: (mode: string) => string) => Promise<void>,
  ) {
    const server = await killableServer(certificate);
    try {
      await check((mode) => `${server.url}?sslmode=${mode}`);
    } finally {
      await server.stop();
    }
  }

  test("require and verify-full never go on without TLS", async () => {
    await withServer(undefined, async (its) => {
      for (const mode of ["require", "verify-full"]) expect(await refusal(its(mode))).toMatch(/TLS|SSL/);
    });
  });

  test("require takes any certificate, and verify-full none that nobody trusted signed", async () => {
    const certificate = await (await testCa()).issue(["localhost", "127.0.0.1"]);
    await withServer(certificate, async (its) => {
      const storage = await open(its("require"));
      await storage.checkWritable();
      await storage.close();
      expect(await refusal(its("verify-full"))).toMatch(/certificate/);
    });
  });
});

describe("an error names the database and never the password", () => {
  test("when the password is wrong", async () => {
    const wrong = new URL(url);
    wrong.password = "not-the-password";
    const message = await refusal(wrong.href);
    expect(message).toContain(`postgres://postgres@${wrong.host}${wrong.pathname}`);
    expect(message).toContain("password authentication failed");
    expect(message).not.toContain("not-the-password");
  });

  test("when nobody listens there", async () => {
    const message = await refusal("postgres://somebody:not-the-password@127.0.0.1:1/nothing");
    expect(message).toContain("postgres://somebody@127.0.0.1:1/nothing");
    expect(message).not.toContain("not-the-password");
  });

  test("when there is no such database", async () => {
    const other = new URL(url);
    other.pathname = "/nothing";
    expect(await refusal(other.href)).toContain('database "nothing" does not exist');
  });

  test("nor does the log, also of a clock that is off", async () => {
    const log = recordingLog();
    const clock = { ...systemClock, now: () => Date.now() + 60_000 };
    const storage = await createPostgresStorage({ url, clock, log });
    await storage.close();
    const lines = JSON.stringify(log.lines);
    expect(lines).toContain("This machine's clock differs from the database's");
    expect(lines).not.toContain(new URL(url).password);
  });
});
