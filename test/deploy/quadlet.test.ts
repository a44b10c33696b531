import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { loadConfig } from "../../plugins/config-loader";
import packageJson from "../../package.json" with { type: "json" };
import { ROOT } from "../readme/readme";
import { temporaryDirectory } from "../support/server-process";
import { deployed, environmentIn, readUnit, SECRET, unknownVariables, valuesOf } from "./deployed";

const FILE = join(ROOT, "deploy/quadlet/sayna-sip.container");
const unit = readUnit(deployed("quadlet/sayna-sip.container"));
const GENERATORS = ["/usr/libexec/podman/quadlet", "/usr/lib/podman/quadlet"];
/** Of a `[Container]`, in Podman 4.6: podman-systemd.unit(5). Those that came later would be refused there. */
const KEYS = new Set(
  `AddCapability AddDevice Annotation AutoUpdate ContainerName DropCapability Environment EnvironmentFile EnvironmentHost Exec
  ExposeHostPort Group HealthCmd HealthInterval HealthOnFailure HealthRetries HealthStartPeriod HealthTimeout HostName IP IP6
  Image Label LogDriver Mask Mount Network NoNewPrivileges Notify PodmanArgs PublishPort ReadOnly Rootfs RunInit SeccompProfile
  Secret Sysctl Timezone Tmpfs User UserNS VolatileTmp Volume WorkingDir`.split(/\s+/),
);

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  directory = await temporaryDirectory();
});

afterAll(() => directory.remove());

test("the Quadlet says only what Podman 4.6 knows", () => {
  const inContainer = unit.filter(({ section }) => section === "Container").map(({ key }) => key);
  expect(inContainer.length).toBeGreaterThan(10);
  expect(inContainer.filter((key) => !KEYS.has(key))).toEqual([]);
});

test("where Podman's generator is there, it makes a service of it", () => {
  const generator = GENERATORS.find((path) => existsSync(path));
  if (generator === undefined) {
    console.log("The Quadlet is not generated here: there is no generator");
    expect(GENERATORS.filter((path) => existsSync(path))).toEqual([]);
    return;
  }
  const { exitCode, stdout, stderr } = Bun.spawnSync([generator, "-dryrun"], {
    env: { PATH: process.env["PATH"] ?? "", QUADLET_UNIT_DIRS: dirname(FILE) },
  });
  const made = stdout.toString();
  expect({ exitCode, stderr: stderr.toString(), made }).toMatchObject({ exitCode: 0 });
  expect(made).toContain("ExecStart=");
  expect(made).toContain("--network host");
});

test("its image is this version's, which may write to its volume only", () => {
  expect(valuesOf(unit, "Image")).toEqual([`localhost/sayna-sip:${packageJson.version}`]);
  expect(valuesOf(unit, "Volume")).toEqual(["sayna-sip-data:/data"]);
  expect(valuesOf(unit, "ReadOnly")).toEqual(["true"]);
  expect(valuesOf(unit, "DropCapability")).toEqual(["all"]);
  expect(valuesOf(unit, "NoNewPrivileges")).toEqual(["true"]);
});

test("it is given more time to stop than it takes, by Podman and then by systemd", () => {
  const [, ofPodman] = /--stop-timeout=(\d+)/.exec(valuesOf(unit, "PodmanArgs").join()) ?? [];
  expect(Number(ofPodman)).toBeGreaterThan(8);
  expect(Number(valuesOf(unit, "TimeoutStopSec")[0])).toBeGreaterThan(Number(ofPodman));
});

test("its settings are ones that sayna-sip takes: each secret is mounted for the image's user", async () => {
  const env = environmentIn(unit);
  expect(unknownVariables(Object.keys(env))).toEqual([]);
  const secrets = valuesOf(unit, "Secret").map((line) => line.split(","));
  expect(secrets.map(([, ...options]) => options)).toEqual(secrets.map(() => ["type=mount", "uid=10001", "mode=0400"]));
  const names = secrets.map(([name = ""]) => name);
  const referred = Object.values(env).flatMap((value) => /^file:\/run\/secrets\/(.*)$/.exec(value)?.[1] ?? []);
  expect(referred.toSorted()).toEqual(names.toSorted());

  for (const name of names) await writeFile(join(directory.path, name), SECRET);
  const here = Object.entries(env).map(([name, value]) => [name, value.replace("/run/secrets", directory.path)]);
  const read = loadConfig({ env: { ...Object.fromEntries(here), AUTH_REQUIRED: "true" } });
  expect(read.livekit.api_secret?.reveal()).toBe(SECRET);
  expect(read).toMatchObject({
    server: { host: "127.0.0.1" },
    sip: { allowed_addresses: ["203.0.113.0/24"] },
  });
});
