import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { hostname } from "node:os";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createSqliteStorage } from "../../../plugins/storage/sqlite";
import { ManualClock } from "../../support/manual-clock";
import { ServerProcess, temporaryDirectory } from "../../support/server-process";
import { silentLog } from "../../support/silent-log";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let dataDir: string;
const servers: ServerProcess[] = [];

beforeEach(async () => {
  directory = await temporaryDirectory();
  dataDir = join(directory.path, "data");
});

afterEach(async () => {
  for (const server of servers.splice(0)) await server.killHard();
  await directory.remove();
});

const config = {
  livekit: { url: "ws://127.0.0.1:1", api_key: "key", api_secret: "secret" },
  sip: { room_prefix: "sip-", provision: false, set_room_owner: false },
};

async function start(waitForPort = true): Promise<ServerProcess> {
  const server = await ServerProcess.start({ dataDir: directory.path, config, waitForPort });
  servers.push(server);
  return server;
}

const open = () => createSqliteStorage({ dataDir, clock: new ManualClock(), log: silentLog });

describe("a data directory belongs to one process", () => {
  test("a second one ends with exit code 1 and the first one's process id, and the first one goes on", async () => {
    const first = await start();
    const second = await start(false);
    expect(await second.exited()).toBe(1);
    expect(second.text()).toContain(`The data directory ${dataDir} is in use by process ${first.pid}.`);
    expect((await fetch(`${first.url}/health/ready`)).status).toBe(200);
  });

  test("of several that start together exactly one gets it", async () => {
    const processes = await Promise.all(Array.from({ length: 4 }, () => start(false)));
    const exits = Promise.all(
      processes.map(async (server) => {
        const runs = server
          .waitUntil(() => server.url !== "", "its URL")
          .then(
            () => "runs",
            () => server.exited(),
          );
        return Promise.race([server.exited(), runs]);
      }),
    );
    expect((await exits).map(String).toSorted()).toEqual(["1", "1", "1", "runs"]);
  }, 240_000);

  test("kill -9 frees it at once, whatever the file with the process id says", async () => {
    const first = await start();
    await first.killHard();
    expect(readFileSync(join(dataDir, "sayna-sip.pid"), "utf8")).toBe(`${first.pid} ${hostname()}\n`);
    await start();
  });

  test("a process id that somebody else has by now does not keep it locked", async () => {
    await start().then((first) => first.killHard());
    writeFileSync(join(dataDir, "sayna-sip.pid"), `${process.pid} ${hostname()}\n`);
    await start();
  });

  test("SIGTERM frees it", async () => {
    const first = await start();
    expect(await first.stop()).toBe(0);
    const storage = open();
    await storage.close();
  });

  test("a process id of another machine is named with it, and one that cannot be read not at all", async () => {
    const storage = open();
    const file = join(dataDir, "sayna-sip.pid");
    writeFileSync(file, "1 other-container\n");
    expect(open).toThrow("is in use by process 1 on other-container.");
    writeFileSync(file, "");
    expect(open).toThrow("is in use by another process.");
    await storage.close();
    await open().close();
  });
});
