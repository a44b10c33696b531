import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadConfig } from "../../plugins/config-loader";
import { readImage, restsOf } from "../readme/containerfile";
import { temporaryDirectory } from "../support/server-process";
import { deployed, environmentIn, readUnit, SECRET, unknownVariables, valuesOf } from "./deployed";

const TEXT = deployed("systemd/sayna-sip.service");
const unit = readUnit(TEXT);
const CREDENTIALS = "/run/credentials/sayna-sip.service";
/** Of 10; the rest is what it needs: the network, and writable code for JavaScript. */
const MOST_EXPOSED = 1.5;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let file: string;

beforeAll(async () => {
  directory = await temporaryDirectory();
  file = join(directory.path, "sayna-sip.service");
  // Verified is that the programs are there, so one that is stands in for ours.
  await writeFile(file, TEXT.replace("/usr/local/bin/sayna-sip", "/bin/true"));
});

afterAll(() => directory.remove());

function analyze(...args: readonly string[]) {
  const { exitCode, stdout, stderr } = Bun.spawnSync(["systemd-analyze", ...args], { stdin: "ignore" });
  return { exitCode, output: `${stdout.toString()}${stderr.toString()}` };
}

/** Where the test cannot be made: without systemd, or with one that cannot judge a file (before 250). */
function whyNot(): string | undefined {
  if (Bun.which("systemd-analyze") === null) return "systemd-analyze is not there";
  const [, version = "0"] = /^systemd (\d+)/.exec(analyze("--version").output) ?? [];
  return Number(version) < 250 ? `systemd ${version} judges no file` : undefined;
}

test("systemd finds nothing wrong with the unit", () => {
  const reason = whyNot();
  if (reason !== undefined) {
    console.log(`The unit is not verified here: ${reason}`);
    expect(reason).toMatch(/is not there|judges no file/);
    return;
  }
  expect(analyze("verify", file)).toEqual({ exitCode: 0, output: "" });
});

test(`systemd says that the service is exposed to at most ${MOST_EXPOSED} of 10`, () => {
  const reason = whyNot();
  if (reason !== undefined) {
    expect(reason).toMatch(/is not there|judges no file/);
    return;
  }
  const { exitCode, output } = analyze(
    "security",
    "--offline=true",
    `--threshold=${MOST_EXPOSED * 10}`,
    "--no-pager",
    file,
  );
  expect({ exitCode, output }).toMatchObject({
    exitCode: 0,
    output: expect.stringContaining("Overall exposure level"),
  });
});

test("the unit's user exists only with the service, its data is kept, and its secrets are credentials", () => {
  expect(valuesOf(unit, "DynamicUser")).toEqual(["yes"]);
  expect(valuesOf(unit, "StateDirectory")).toEqual(["sayna-sip"]);
  expect(environmentIn(unit)).toMatchObject({ DATA_DIR: "%S/sayna-sip", AUTH_REQUIRED: "true" });
  expect(valuesOf(unit, "User")).toEqual([]);
  expect(valuesOf(unit, "ExecReload")).toEqual(["/bin/kill -HUP $MAINPID"]);
});

test("it is given more time to stop than it takes, and is started again for as long as it takes", () => {
  expect(Number(valuesOf(unit, "TimeoutStopSec")[0])).toBeGreaterThan(8);
  expect(valuesOf(unit, "Restart")).toEqual(["on-failure"]);
  expect(valuesOf(unit, "StartLimitIntervalSec")).toEqual(["0"]);
});

test("it may compile JavaScript, and resolve names", () => {
  expect(valuesOf(unit, "MemoryDenyWriteExecute")).toEqual([]);
  expect(valuesOf(unit, "RestrictAddressFamilies").join()).toContain("AF_INET AF_INET6 AF_UNIX");
});

test("with the configuration beside it, it starts: each reference is one of its credentials", async () => {
  const text = deployed("systemd/sayna-sip.yaml");
  const loaded = valuesOf(unit, "LoadCredential").map((line) => line.split(":")[0] ?? "");
  const named = [...text.matchAll(/file:(\S+)\/([\w-]+)/g)];
  expect(named.map(([, path]) => path)).toEqual(named.map(() => CREDENTIALS));
  expect(named.map(([, , name = ""]) => name).toSorted()).toEqual(loaded.toSorted());

  for (const name of loaded) await writeFile(join(directory.path, name), `${SECRET}\n`);
  const config = join(directory.path, "sayna-sip.yaml");
  await writeFile(config, text.replaceAll(CREDENTIALS, directory.path));
  const env = environmentIn(unit);
  expect(unknownVariables(Object.keys(env))).toEqual([]);
  const read = loadConfig({ file: config, env });
  expect(read.livekit.api_secret?.reveal()).toBe(SECRET);
  expect(read).toMatchObject({
    auth: { required: true, api_secrets: [{ id: "ops" }] },
    sip: { room_prefix: "sip-" },
  });
});

test("the unit and the image let garbage wait alike, by a setting that this Bun knows", () => {
  const { BUN_JSC_forceRAMSize: bytes = "" } = environmentIn(unit);
  expect(restsOf(readImage(), "ENV")).toContain(`BUN_JSC_forceRAMSize=${bytes}`);
  const start = (env: Record<string, string>) => Bun.spawnSync([process.execPath, "-e", "0"], { env }).exitCode;
  expect(start({ BUN_JSC_forceRAMSize: bytes })).toBe(0);
  expect(start({ BUN_JSC_forcedRAMSize: bytes })).toBe(1);
});
