import { beforeEach, expect, test } from "bun:test";
import { ConfigError, loadConfig, type Config } from "../plugins/config-loader";
import { createReloader } from "../src/create-reloader";
import { ManualClock, settle } from "./support/manual-clock";
import { recordingLog } from "./support/recording-log";

const config = (env: Record<string, string> = {}) =>
  loadConfig({ env: { SIP_ROOM_PREFIX: "sip-", SIP_PROVISION: "false", ...env } });

let log: ReturnType<typeof recordingLog>;
let levels: string[];
let applied: Config[];
let next: () => Config;
let apply: () => Promise<void>;

beforeEach(() => {
  log = recordingLog();
  levels = [];
  applied = [];
  next = () => config();
  apply = async () => {};
});

const reloader = () =>
  createReloader({
    config: config(),
    load: () => next(),
    service: {
      reload: async (wanted) => {
        await apply();
        applied.push(wanted);
        return { changed: ["sip.hooks"], waiting: [{ setting: "server.port", before: "1", after: "2" }] };
      },
    },
    log,
    setLogLevel: (level) => levels.push(level),
    clock: new ManualClock(),
  });
const said = (): object[] => log.lines.map(({ level, fields, message }) => ({ level, message, ...fields }));

test("what took effect is told in a line, and what needs a restart in one for each setting", async () => {
  next = () => config({ LOG_LEVEL: "debug" });
  await reloader()("SIGHUP");
  expect(said()).toEqual([
    { level: "info", message: "The configuration was read again", cause: "SIGHUP", changed: ["sip.hooks"], ms: 0 },
    {
      level: "warn",
      message: "A changed setting counts after a restart only",
      setting: "server.port",
      before: "1",
      after: "2",
    },
  ]);
  expect(levels).toEqual(["debug"]);
});

test("a configuration with faults is told with all of them, and is not applied", async () => {
  const problems = [1, 2].map((n) => ({ message: `m${n}`, source: `file:${n}:1`, hint: `h${n}` }));
  next = () => {
    throw new ConfigError(problems);
  };
  await reloader()("watch");
  expect(said()).toEqual([
    { level: "error", message: "The configuration has faults: nothing was changed", cause: "watch", problems },
  ]);
  expect([applied, levels]).toEqual([[], []]);
});

test("one that cannot be put in force leaves the log's level, too", async () => {
  next = () => config({ LOG_LEVEL: "error" });
  apply = () => Promise.reject(new Error("disk full"));
  await reloader()("SIGHUP");
  expect(said()).toMatchObject([
    { level: "error", message: "The configuration could not be put in force: nothing was changed" },
  ]);
  expect(levels).toEqual([]);
});

test("notes of the start are repeated only where they are new", async () => {
  const reload = reloader();
  next = () => config({ SIP_HOOK_SECRET: "plain" });
  await reload("SIGHUP");
  await reload("SIGHUP");
  expect(log.lines.filter(({ message }) => message.includes("X-Sayna-Signature"))).toHaveLength(1);
});

test("one at a time: however often it is asked for meanwhile, it is done once more", async () => {
  const reload = reloader();
  let release = () => {};
  apply = () =>
    new Promise((resolve) => {
      release = resolve;
    });
  const first = reload("SIGHUP");
  const others = [reload("SIGHUP"), reload("watch"), reload("SIGHUP")];
  await settle();
  expect(applied).toHaveLength(0);
  apply = async () => {};
  release();
  await Promise.all([first, ...others]);
  expect(applied).toHaveLength(2);
});
