import { SQL } from "bun";

let server: Promise<string> | undefined;
let databases = 0;

/**
 * A new, empty database: its URL, and what removes it. On the server at `TEST_POSTGRES_URL`, whose user must be allowed to
 * make databases, or else on one that is started for this run of tests and ends with it.
 */
export async function emptyDatabase(): Promise<{ url: string; remove: () => Promise<void> }> {
  const admin = await serverUrl();
  const name = `sayna_sip_test_${process.pid}_${++databases}`;
  await run(admin, `create database ${name}`);
  const url = new URL(admin);
  url.pathname = `/${name}`;
  return { url: url.href, remove: () => run(admin, `drop database if exists ${name} with (force)`) };
}

/** Runs statements on a connection of their own. */
export async function run(url: string, statements: string): Promise<void> {
  const sql = new SQL({ url, max: 1 });
  try {
    await sql.unsafe(statements);
  } finally {
    await sql.close();
  }
}

function serverUrl(): Promise<string> {
  server ??=
    process.env.TEST_POSTGRES_URL === undefined ? startServer() : Promise.resolve(process.env.TEST_POSTGRES_URL);
  return server;
}

async function startServer(): Promise<string> {
  const child = Bun.spawn([process.execPath, new URL("postgres-server.ts", import.meta.url).pathname], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  // It must not keep the tests from ending; when they have, its standard input ends, and so does it.
  child.unref();
  // A test that times out takes the processes with it that were started during it.
  void child.exited.then(() => (server = undefined));
  const decoder = new TextDecoder();
  let written = "";
  for await (const chunk of child.stdout) {
    written += decoder.decode(chunk, { stream: true });
    if (written.includes("\n")) return written.trim();
  }
  throw new Error(`no Postgres for the tests: its process ended with ${await child.exited}`);
}
