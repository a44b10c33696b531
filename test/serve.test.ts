import { afterEach, beforeEach, expect, test } from "bun:test";
import { loadConfig } from "../plugins/config-loader";
import { serve } from "../src/serve";
import { recordingLog } from "./support/recording-log";
import { temporaryDirectory } from "./support/server-process";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeEach(async () => {
  directory = await temporaryDirectory();
});

afterEach(() => directory.remove());

/** The service in this process; `ended` is its exit code. */
function run(env: Record<string, string> = {}) {
  const log = recordingLog();
  let end: (signal: string) => void = () => {};
  const signalled = new Promise<string>((resolve) => {
    end = resolve;
  });
  const config = loadConfig({
    env: { PORT: "0", DATA_DIR: directory.path, SIP_ROOM_PREFIX: "sip-", SIP_PROVISION: "false", ...env },
  });
  return { log, end, ended: serve(config, { log, directory: directory.path, signalled }) };
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; !condition() && i < 500; i++) await Bun.sleep(10);
  expect(condition()).toBe(true);
}

const messages = (log: ReturnType<typeof recordingLog>) => log.lines.map(({ message }) => message);

test("it listens as soon as the storage is open, and ends with 0 when it is told to", async () => {
  const { log, end, ended } = run();
  await until(() => messages(log).includes("Listening"));
  expect(messages(log).indexOf("Storage is open")).toBeLessThan(messages(log).indexOf("Listening"));
  const { url } = log.lines.find(({ message }) => message === "Listening")?.fields ?? {};
  expect((await fetch(`${String(url)}health/live`)).status).toBe(200);
  end("SIGTERM");
  expect(await ended).toBe(0);
  expect(messages(log).at(-1)).toBe("Stopped");
});

test("a provisioning that fails for good ends it with 1 and says why", async () => {
  const stranger = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => new Response("not LiveKit", { status: 404 }),
  });
  const { log, ended } = run({
    LIVEKIT_URL: `http://127.0.0.1:${stranger.port}`,
    LIVEKIT_API_KEY: "key",
    LIVEKIT_API_SECRET: "secret",
    SIP_PROVISION: "true",
    SIP_ALLOWED_ADDRESSES: "203.0.113.0/24",
  });
  expect(await ended).toBe(1);
  expect(log.lines.find(({ level }) => level === "error")?.message).toContain("sayna-sip--trunk");
  await stranger.stop(true);
});

test("a port that is taken and a directory that is none end it with 1", async () => {
  const other = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const taken = run({ PORT: String(other.port) });
  expect(await taken.ended).toBe(1);
  expect(messages(taken.log).at(-1)).toContain(`Cannot listen on 127.0.0.1 port ${other.port}`);
  await other.stop(true);
  const noDirectory = run({ DATA_DIR: "/dev/null/data" });
  expect(await noDirectory.ended).toBe(1);
  expect(messages(noDirectory.log).at(-1)).toContain("cannot be used");
});

const urlOf = (log: ReturnType<typeof recordingLog>, message: string) =>
  String(log.lines.find((line) => line.message === message)?.fields.url);

test("with MANAGEMENT_PORT it listens on two ports, and both are closed at the end", async () => {
  const { log, end, ended } = run({ MANAGEMENT_PORT: "0" });
  await until(() => messages(log).includes("Listening for management"));
  const [webhooks, management] = [urlOf(log, "Listening"), urlOf(log, "Listening for management")];
  expect(webhooks).not.toBe(management);
  const statuses = async (url: string) =>
    Promise.all(["health/live", "metrics", "sip/hooks"].map(async (path) => (await fetch(url + path)).status));
  expect(await statuses(webhooks)).toEqual([200, 404, 404]);
  expect(await statuses(management)).toEqual([200, 200, 200]);
  end("SIGTERM");
  expect(await ended).toBe(0);
  for (const url of [webhooks, management]) await expect(fetch(`${url}health/live`)).rejects.toThrow();
});

test("a management port that is taken ends it with 1, names the setting and leaves nothing open", async () => {
  const stranger = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("mine") });
  const { log, ended } = run({ MANAGEMENT_PORT: String(stranger.port) });
  expect(await ended).toBe(1);
  expect(log.lines.findLast(({ level }) => level === "error")?.message).toMatch(
    new RegExp(`^Cannot listen on 127.0.0.1 port ${stranger.port}: .*Set MANAGEMENT_HOST and MANAGEMENT_PORT`),
  );
  await expect(fetch(`${urlOf(log, "Listening")}health/live`)).rejects.toThrow();
  await stranger.stop(true);
});
