import { afterAll, afterEach, beforeAll, beforeEach, expect, setDefaultTimeout } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Finding } from "../../src/doctor/finding";
import { startFakeLiveKit, type FakeLiveKit, type Json } from "../support/fake-livekit";
import { runCommandLine } from "../support/run-command";
import { ServerProcess, temporaryDirectory } from "../support/server-process";
import { testCa, type TestCa } from "../support/test-ca";
import { startTlsReceiver, type TlsReceiver } from "../support/tls-receiver";

const WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/** What `doctor` finds, and what it is asked about: all is well with it when a test begins. */
export type DoctorWorld = {
  readonly ca: TestCa;
  readonly livekit: FakeLiveKit;
  readonly receiver: TlsReceiver;
  readonly server: ServerProcess;
  readonly directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  /** The service's configuration. */
  readonly file: string;
  /** Another one: with these changes of its `sip` block, and these blocks beside it; its path. */
  readonly writeConfiguration: (changes?: object, top?: object) => Promise<string>;
  readonly doctor: (args?: readonly string[], env?: Readonly<Record<string, string>>) => Promise<Diagnosis>;
  /** Finds these, and nothing else; every one with why and what mends it. */
  readonly expectFound: (
    expected: readonly string[],
    args?: readonly string[],
    env?: Readonly<Record<string, string>>,
  ) => Promise<readonly Finding[]>;
  /** LiveKit's own, to be spoilt. */
  readonly trunk: () => Json;
  readonly rule: () => Json;
};

type Answer = { readonly well: boolean; readonly findings: readonly Finding[] };
/** `found`: severity and code of the problems and warnings. */
export type Diagnosis = Answer & { readonly exitCode: number; readonly found: readonly string[] };

/** Starts it for the file that this is called in. */
export function doctorWorld(): DoctorWorld {
  // Each runs processes, which a busy machine is slow to start; what a time-out kills includes the service of all.
  setDefaultTimeout(240_000);

  let ca: TestCa;
  let livekit: FakeLiveKit;
  let receiver: TlsReceiver;
  let server: ServerProcess;
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let file: string;

  function configuration(changes: object = {}) {
    return {
      server: { port: 0 },
      data_dir: join(directory.path, "data"),
      livekit: { url: livekit.url, api_key: livekit.apiKey, api_secret: livekit.apiSecret },
      sip: {
        room_prefix: "sip-",
        allowed_addresses: ["203.0.113.0/24", "198.51.100.7/32"],
        hook_secret: WHSEC,
        hooks: [{ host: "tenant-a.example.com", url: receiver.url("/a"), auth_id: "tenant-a" }],
        ...changes,
      },
    };
  }

  async function writeConfiguration(changes: object = {}, top: object = {}): Promise<string> {
    const path = join(directory.path, `doctor-${crypto.randomUUID()}.yaml`);
    await writeFile(path, stringify({ ...configuration(changes), ...top }));
    return path;
  }

  beforeAll(async () => {
    ca = await testCa();
    directory = await temporaryDirectory();
    livekit = await startFakeLiveKit();
    receiver = await startTlsReceiver({ ca });
    server = await ServerProcess.start({ dataDir: directory.path, caFile: ca.caFile, config: configuration() });
    await server.waitUntilReady();
    file = await writeConfiguration();
  });

  afterAll(async () => {
    await server.killHard();
    await receiver.stop();
    await livekit.stop();
    await directory.remove();
  });

  let well: { readonly trunk: Json; readonly rule: Json };

  beforeEach(() => {
    const [trunk = {}] = livekit.state.trunks.values();
    const [rule = {}] = livekit.state.rules.values();
    well = { trunk: structuredClone(trunk), rule: structuredClone(rule) };
    livekit.state.webhooks = { urls: [server.url] };
  });

  afterEach(() => {
    livekit.state.trunks.clear();
    livekit.state.rules.clear();
    livekit.state.trunks.set(String(well.trunk["sip_trunk_id"]), well.trunk);
    livekit.state.rules.set(String(well.rule["sip_dispatch_rule_id"]), well.rule);
    Object.assign(livekit.state, { redis: true, clockAheadMs: 0 });
    receiver.respondWith(() => ({}));
    expect(livekit.unexpected).toEqual([]);
  });

  async function doctor(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Diagnosis> {
    const config = args.includes("--config") ? [] : ["--config", file];
    const run = await runCommandLine(["doctor", ...config, "--url", server.url, "--json", ...args], {
      env: { NODE_EXTRA_CA_CERTS: ca.caFile, ...env },
    });
    const answer = JSON.parse(run.stdout) as Answer;
    const found = answer.findings.filter(({ severity }) => severity === "problem" || severity === "warning");
    return { exitCode: run.exitCode, found: found.map(({ severity, code }) => `${severity} ${code}`), ...answer };
  }

  async function expectFound(
    expected: readonly string[],
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ) {
    const { found, exitCode, well: isWell, findings } = await doctor(args, env);
    expect(found).toEqual([...expected]);
    expect([exitCode, isWell]).toEqual(expected.some((one) => one.startsWith("problem")) ? [1, false] : [0, true]);
    for (const { severity, why, mend } of findings) {
      if (severity === "problem" || severity === "warning")
        expect([typeof why, typeof mend]).toEqual(["string", "string"]);
    }
    return findings;
  }

  const trunk = (): Json => [...livekit.state.trunks.values()][0] ?? {};
  const rule = (): Json => [...livekit.state.rules.values()][0] ?? {};

  return {
    get ca() {
      return ca;
    },
    get livekit() {
      return livekit;
    },
    get receiver() {
      return receiver;
    },
    get server() {
      return server;
    },
    get directory() {
      return directory;
    },
    get file() {
      return file;
    },
    writeConfiguration,
    doctor,
    expectFound,
    trunk,
    rule,
  };
}
