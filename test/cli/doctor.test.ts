import { afterEach, beforeAll, afterAll, beforeEach, describe, expect, test, setDefaultTimeout } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Finding } from "../../src/doctor/finding";
import { startFakeLiveKit, type FakeLiveKit, type Json } from "../support/fake-livekit";
import { runCommandLine } from "../support/run-command";
import { ServerProcess, temporaryDirectory } from "../support/server-process";
import { testCa, type TestCa } from "../support/test-ca";
import { startTlsReceiver, type TlsReceiver } from "../support/tls-receiver";

// Each runs processes, which a busy machine is slow to start; what a time-out kills includes the service of all.
setDefaultTimeout(240_000);

const WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

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
      allowed_addresses: ["203.0.113.0/24", "198.51.100.7"],
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

/** What LiveKit has when all is well; each test may spoil it. */
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

type Answer = { readonly well: boolean; readonly findings: readonly Finding[] };

async function doctor(args: readonly string[] = [], env: Record<string, string> = {}) {
  const config = args.includes("--config") ? [] : ["--config", file];
  const run = await runCommandLine(["doctor", ...config, "--url", server.url, "--json", ...args], {
    env: { NODE_EXTRA_CA_CERTS: ca.caFile, ...env },
  });
  const answer = JSON.parse(run.stdout) as Answer;
  const found = answer.findings.filter(({ severity }) => severity === "problem" || severity === "warning");
  return { exitCode: run.exitCode, found: found.map(({ severity, code }) => `${severity} ${code}`), ...answer };
}

/** Finds these, and nothing else; every one with why and what mends it. */
async function expectFound(
  expected: readonly string[],
  args: readonly string[] = [],
  env: Record<string, string> = {},
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

describe("when all is well", () => {
  test("it finds nothing, says what it looked at, and ends with 0", async () => {
    const findings = await expectFound([]);
    expect([...new Set(findings.map(({ area }) => area))]).toEqual([
      "configuration",
      "storage",
      "service",
      "livekit",
      "clock",
      "trunk and rule",
      "hooks",
    ]);
    expect(findings.every(({ severity }) => severity === "ok")).toBe(true);
  });

  test("with server.management the service is asked there, and its token is sent nowhere else", async () => {
    const asked: (string | null)[][] = [[], []];
    const ports = asked.map((tokens) =>
      Bun.serve({
        hostname: "127.0.0.1",
        port: 0,
        fetch(request) {
          tokens.push(request.headers.get("authorization"));
          const { pathname } = new URL(request.url);
          if (pathname === "/health/ready") return Response.json({ status: "ready" });
          return Response.json(pathname === "/sip/hooks" ? { hooks: [] } : { calls: [] });
        },
      }),
    );
    const [port = 0, management = 0] = ports.map((stub) => stub.port ?? 0);
    const secret = "secret-of-the-operator-secret-of-the-operator";
    const path = await writeConfiguration(
      {},
      {
        server: { port, management: { port: management } },
        auth: { required: true, api_secrets: [{ id: "ops", secret }] },
      },
    );
    const { stdout } = await runCommandLine(["doctor", "--config", path]);
    for (const stub of ports) await stub.stop(true);
    expect(stdout).toContain(`The service at http://127.0.0.1:${management} runs and can take calls.`);
    expect(asked[0]).toEqual([]);
    expect(asked[1]).toContain(`Bearer ${secret}`);
  });

  test("--live makes a room, sees LiveKit's webhook come back, and deletes the room", async () => {
    const findings = await expectFound([], ["--live"]);
    expect(findings.at(-1)?.what).toMatch(
      /^LiveKit's webhooks come here: room_started did \d+ ms after the room was made\.$/,
    );
    expect(livekit.state.rooms.size).toBe(0);
    const methods = livekit.requests.map(({ method }) => method);
    expect(methods.slice(-2)).toEqual(["RoomService/CreateRoom", "RoomService/DeleteRoom"]);
  });

  test("for people it is a list, without colours in a pipe", async () => {
    const { exitCode, stdout, stderr } = await runCommandLine(["doctor", "--config", file, "--url", server.url], {
      env: { NODE_EXTRA_CA_CERTS: ca.caFile },
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout.replaceAll(/\d+ (?=[GM]iB|ms|days)/g, "N ").replaceAll(/http:\/\/\S+?(?=[\s,])/g, "URL")).toBe(
      [
        "configuration",
        "  ok       The configuration is right.",
        "",
        "storage",
        `  ok       The data directory ${join(directory.path, "data")} can be written, process ${server.pid} uses it; N GiB are free.`,
        "",
        "service",
        "  ok       The service at URL runs and can take calls.",
        "",
        "livekit",
        "  ok       LiveKit at URL accepts the API key devkey, which may set up SIP.",
        "",
        "clock",
        "  ok       The clocks of this machine and of LiveKit's agree.",
        "",
        "trunk and rule",
        "  ok       Calls come in by trunk and rule as configured, with the headers that hosts are read from.",
        "",
        "hooks",
        "  ok       tenant-a.example.com: 200 after N ms, its certificate is good for N days.",
        "",
        "Nothing was found that loses calls.",
        "",
      ].join("\n"),
    );
  });
});

describe("of LiveKit it finds exactly what is wrong", () => {
  const spoil: [string, () => void, string[]][] = [
    ["no Redis", () => (livekit.state.redis = false), ["problem livekit_no_redis"]],
    ["a clock 2 minutes behind", () => (livekit.state.clockAheadMs = -120_000), ["problem clock_differs"]],
    ["a clock 2 minutes ahead", () => (livekit.state.clockAheadMs = 120_000), ["problem clock_differs"]],
    ["a clock 20 s ahead", () => (livekit.state.clockAheadMs = 20_000), ["warning clock_drifts"]],
    ["no trunk", () => livekit.state.trunks.clear(), ["problem trunk_missing"]],
    ["no rule", () => livekit.state.rules.clear(), ["problem rule_missing"]],
    [
      "two trunks",
      () => livekit.state.trunks.set("ST_z", { ...trunk(), sip_trunk_id: "ST_z" }),
      ["problem trunk_several"],
    ],
    ["headers not mapped", () => (trunk()["headers_to_attributes"] = {}), ["problem headers_not_mapped"]],
    ["an address missing", () => (trunk()["allowed_addresses"] = ["203.0.113.0/24"]), ["problem allowlist_differs"]],
    [
      "an address too many",
      () => (trunk()["allowed_addresses"] = ["203.0.113.0/24", "198.51.100.7", "192.0.2.1"]),
      ["warning allowlist_wider"],
    ],
    [
      "a rule of other rooms",
      () => (rule()["rule"] = { dispatch_rule_individual: { room_prefix: "call-" } }),
      ["problem rule_other_rooms"],
    ],
    ["a rule that is not tied", () => (rule()["trunk_ids"] = []), ["problem rule_not_tied"]],
    ["rooms for two", () => (rule()["room_config"] = { max_participants: 2 }), ["warning rule_other_capacity"]],
    [
      "a trunk of a number",
      () => livekit.state.trunks.set("ST_z", { sip_trunk_id: "ST_z", name: "sales", numbers: ["+15550001"] }),
      ["warning other_trunk_first"],
    ],
    [
      "another trunk without numbers",
      () => livekit.state.trunks.set("ST_z", { sip_trunk_id: "ST_z", name: "old", allowed_addresses: ["192.0.2.9"] }),
      ["problem other_trunk_ambiguous"],
    ],
    [
      "a rule without trunks",
      () => livekit.state.rules.set("SDR_z", { sip_dispatch_rule_id: "SDR_z", name: "catch-all", trunk_ids: [] }),
      ["warning open_rule"],
    ],
    [
      "another rule of our trunk",
      () => {
        const kind = { dispatch_rule_direct: { room_name: "lobby" } };
        const other = { sip_dispatch_rule_id: "SDR_z", name: "lobby", trunk_ids: rule()["trunk_ids"], rule: kind };
        livekit.state.rules.set("SDR_z", other);
      },
      ["problem other_rule_first"],
    ],
    [
      "two things at a time",
      () => {
        trunk()["headers_to_attributes"] = {};
        trunk()["allowed_addresses"] = ["203.0.113.0/24"];
      },
      ["problem headers_not_mapped", "problem allowlist_differs"],
    ],
  ];

  test.each(spoil)("%s", async (_, makeWrong, expected) => {
    makeWrong();
    await expectFound(expected);
  });

  test("another secret", async () => {
    await expectFound(["problem livekit_wrong_key"], [], { LIVEKIT_API_SECRET: "another-secret-another-secret-00" });
  });

  test("no credentials", async () => {
    const config = await writeConfiguration({ provision: true }, { livekit: { url: livekit.url } });
    await expectFound(["problem livekit_credentials_missing"], ["--config", config]);
  });

  test("nobody at its address", async () => {
    await expectFound(["problem livekit_unreachable"], [], { LIVEKIT_URL: "ws://127.0.0.1:1" });
  });

  test("a trunk of the called number loses that call, and no other", async () => {
    livekit.state.trunks.set("ST_z", { sip_trunk_id: "ST_z", name: "sales", numbers: ["+1 (555) 0001"] });
    const call = (number: string) => `<sip:${number}@tenant-a.example.com>;tag=x`;
    await expectFound(["problem other_trunk_first", "warning host_no_calls"], [call("+15550001")]);
    await expectFound(["warning host_no_calls"], [call("+15550002")]);
  });

  test("with provision: false trunk and rule are judged by what they do, whatever their names", async () => {
    const config = await writeConfiguration({ provision: false });
    Object.assign(trunk(), { name: "by terraform" });
    Object.assign(rule(), { name: "by terraform" });
    await expectFound([], ["--config", config]);
    trunk()["headers_to_attributes"] = {};
    await expectFound(["problem headers_not_mapped"], ["--config", config]);
    rule()["rule"] = { dispatch_rule_individual: { room_prefix: "call-" } };
    await expectFound(["problem rule_missing"], ["--config", config]);
  });
});

describe("of hooks it finds exactly what is wrong", () => {
  test("an answer that is no success", async () => {
    receiver.respondWith(() => ({ status: 401 }));
    const findings = await expectFound(["problem hook_refuses"]);
    const hook = findings.find(({ area }) => area === "hooks");
    expect(hook?.what).toBe(
      `The hook of tenant-a.example.com (${new URL(receiver.url()).origin}) answers 401 to a signed test.`,
    );
  });

  test("a connection that is closed", async () => {
    receiver.respondWith(() => "close");
    await expectFound(["problem hook_fails"]);
  });

  test("a certificate that has ended, and since when; from here as from the service", async () => {
    const day = 86_400_000;
    const certificate = await ca.issue(["localhost"], {
      notBefore: new Date(Date.now() - 9 * day),
      notAfter: new Date(Date.now() - 2 * day),
    });
    const expired = await startTlsReceiver({ ca, certificate });
    try {
      const hooks = [{ host: "tenant-a.example.com", url: expired.url("/a") }];
      const config = await writeConfiguration({ hooks });
      const here = ["--config", config, "--url", "http://127.0.0.1:1"];
      const findings = await expectFound(["problem service_not_running", "problem hook_tls"], here);
      expect(findings.find(({ code }) => code === "hook_tls")?.what).toMatch(
        /CERT_HAS_EXPIRED.* \(its certificate ended on /,
      );
    } finally {
      await expired.stop();
    }
  });

  test("a host that has no address, and deliveries that nothing signs", async () => {
    const hooks = [
      { host: "a.example.com", url: "https://nobody.invalid/" },
      { host: "b.example.com", url: receiver.url("/b") },
    ];
    const config = await writeConfiguration({ hooks, hook_secret: undefined });
    const here = ["--config", config, "--url", "http://127.0.0.1:1"];
    await expectFound(["problem service_not_running", "problem hook_dns", "warning hook_unsigned"], here);
  });

  test("one that is paused", async () => {
    const pause = (what: string) =>
      fetch(`${server.url}/sip/hooks/${what}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ hosts: ["tenant-a.example.com"] }),
      });
    expect((await pause("pause")).status).toBe(200);
    try {
      await expectFound(["problem hook_paused"]);
    } finally {
      await pause("resume");
    }
  });

  test("nobody at its address", async () => {
    await receiver.stop();
    try {
      await expectFound(["problem hook_unreachable"]);
    } finally {
      await receiver.start();
    }
  });
});

describe("of the service and its storage it finds exactly what is wrong", () => {
  test("a service that does not run: hooks are tested from here", async () => {
    const findings = await expectFound(["problem service_not_running"], ["--url", "http://127.0.0.1:1"]);
    expect(findings.find(({ area }) => area === "service")?.what).toBe(
      `Nothing answers as sayna-sip at http://127.0.0.1:1. The data directory is in use by process ${server.pid}, which may be it.`,
    );
  });

  test("another data directory than the service's", async () => {
    await expectFound(["warning service_elsewhere"], [], { DATA_DIR: join(directory.path, "other") });
  });

  test("a data directory that cannot be used", async () => {
    const { found } = await doctor([], { DATA_DIR: "/dev/null/data" });
    expect(found).toEqual(["problem storage_unusable", "warning service_elsewhere"]);
  });

  test("SIP that is off", async () => {
    const config = join(directory.path, "off.yaml");
    await writeFile(config, "{}");
    await expectFound(["problem sip_off"], ["--config", config]);
  });
});

describe("a call that is asked about", () => {
  test("whose host has no hook", async () => {
    const findings = await expectFound(["problem host_without_hook"], ["tenant-b.example.com"]);
    expect(findings.at(-1)?.what).toBe(
      "No hook matches calls to tenant-b.example.com. There is one of tenant-a.example.com.",
    );
  });

  test("whose header has no host that can be told for sure", async () => {
    await expectFound(["problem host_unreadable"], ["<tel:+15550001>"]);
  });

  test("whose hook is well, and that never came", async () => {
    await expectFound(["warning host_no_calls"], ["--host", "tenant-a.example.com"]);
  });

  test("without a running service it is matched from here", async () => {
    const { found, findings } = await doctor(["TENANT-A.example.com:5060", "--url", "http://127.0.0.1:1"]);
    expect(found).toEqual(["problem service_not_running"]);
    expect(findings.at(-1)?.what).toBe("Calls to tenant-a.example.com belong to the hook of tenant-a.example.com.");
  });
});

describe("--live finds exactly what is wrong", () => {
  test("a LiveKit that sends its webhooks elsewhere, or nowhere", async () => {
    livekit.state.webhooks = { urls: [] };
    await expectFound(["problem no_webhook"], ["--live", "--wait", "1"]);
    expect(livekit.state.rooms.size).toBe(0);
  });

  test("a LiveKit that signs them with another key", async () => {
    livekit.state.webhooks = { urls: [server.url], key: { apiKey: "other", apiSecret: "other-secret" } };
    await expectFound(["problem no_webhook"], ["--live", "--wait", "1"]);
  });

  test("webhooks that come late", async () => {
    livekit.state.webhooks = { urls: [server.url], delayMs: 2_100 };
    const findings = await expectFound(["warning webhooks_late"], ["--live"]);
    expect(findings.at(-1)?.what).toMatch(/late: room_started did 2\.\d s after the room was made\.$/);
  });

  test("a LiveKit that makes no room", async () => {
    livekit.inject({ method: "RoomService/CreateRoom", at: "request", answer: { status: 503, body: "no nodes" } });
    await expectFound(["problem room_not_made"], ["--live"]);
  });

  test("a room that cannot be deleted", async () => {
    livekit.inject({ method: "RoomService/DeleteRoom", at: "request", answer: { status: 500, body: "" } });
    await expectFound(["warning room_not_deleted"], ["--live"]);
  });
});

describe("used wrongly", () => {
  test.each([
    [["doctor", "a.example", "--host", "b.example"], "Name one call: the argument, or --host."],
    [["doctor", "--wait", "soon"], "--wait takes a number of seconds, 600 at most: soon"],
  ])("%j ends with 2", async (args, message) => {
    const { exitCode, stderr } = await runCommandLine(args);
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: `error: ${message}\n` });
  });

  test("a configuration that is wrong ends with 1 and all that is wrong with it", async () => {
    const { exitCode, stderr } = await runCommandLine(["doctor"], { env: { SIP_ROOM_PREFIX: "a b", PORT: "x" } });
    expect(exitCode).toBe(1);
    expect(stderr).toStartWith("error: The configuration has 3 problems:\n");
  });
});
