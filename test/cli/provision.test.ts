import { afterAll, beforeAll, beforeEach, expect, test, setDefaultTimeout } from "bun:test";
import { startFakeLiveKit, type FakeLiveKit } from "../support/fake-livekit";
import { runCommandLine } from "../support/run-command";

// Each runs processes, which a busy machine is slow to start; what a time-out kills includes the service of all.
setDefaultTimeout(240_000);

let livekit: FakeLiveKit;
let env: Record<string, string>;

beforeAll(async () => {
  const counts = new Map<string, number>();
  livekit = await startFakeLiveKit({
    newId: (prefix) => {
      counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
      return `${prefix}${counts.get(prefix)}`;
    },
  });
});

beforeEach(() => {
  env = {
    LIVEKIT_URL: livekit.url,
    LIVEKIT_API_KEY: livekit.apiKey,
    LIVEKIT_API_SECRET: livekit.apiSecret,
    SIP_ROOM_PREFIX: "sip-",
    SIP_ALLOWED_ADDRESSES: "203.0.113.0/24",
  };
});

afterAll(async () => {
  await livekit.stop();
  expect(livekit.unexpected).toEqual([]);
});

const run = (...args: string[]) => runCommandLine(["provision", ...args], { env });

// One after the other: each begins with what the one before has left.
test("--dry-run shows what would be created, and creates nothing", async () => {
  expect(await run("--dry-run")).toEqual({
    exitCode: 0,
    stderr: "",
    stdout: [
      "trunk sayna-sip--trunk would be created",
      '  + name: "sayna-sip--trunk"',
      '  + allowed_addresses: ["203.0.113.0/24"]',
      '  + headers_to_attributes: {"To":"sip.h.to"}',
      "dispatch rule sayna-sip--dispatch would be created",
      '  + name: "sayna-sip--dispatch"',
      '  + rule: {"dispatch_rule_individual":{"room_prefix":"sip-"}}',
      '  + trunk_ids: ["(the new trunk)"]',
      '  + room_config: {"max_participants":3}',
      "Both would be changed; nothing was.",
      "",
    ].join("\n"),
  });
  expect([livekit.state.trunks.size, livekit.state.rules.size]).toEqual([0, 0]);
});

test("without it they are created, and said to be", async () => {
  const { exitCode, stdout, stderr } = await run();
  expect({ exitCode, stdout }).toEqual({
    exitCode: 0,
    stdout: "The trunk sayna-sip--trunk (ST_1) and the dispatch rule sayna-sip--dispatch (SDR_1) are as configured.\n",
  });
  expect(stderr).toContain('SIP trunk created "ST_1"\n');
  expect([livekit.state.trunks.size, livekit.state.rules.size]).toEqual([1, 1]);
});

test("--dry-run of what is as configured changes nothing, and says so; --json has it for programs", async () => {
  expect((await run("--dry-run")).stdout).toBe(
    "trunk sayna-sip--trunk (ST_1) is as configured\ndispatch rule sayna-sip--dispatch (SDR_1) is as configured\n" +
      "Nothing would be changed.\n",
  );
  expect(JSON.parse((await run("--dry-run", "--json")).stdout)).toEqual({
    changes: 0,
    trunk: { name: "sayna-sip--trunk", ids: ["ST_1"], state: "as_configured", differences: {} },
    dispatch_rule: { name: "sayna-sip--dispatch", ids: ["SDR_1"], state: "as_configured", differences: {} },
  });
});

test("a changed configuration is shown as a diff, and then made so", async () => {
  env["SIP_MAX_PARTICIPANTS"] = "5";
  expect((await run("--dry-run")).stdout).toBe(
    [
      "trunk sayna-sip--trunk (ST_1) is as configured",
      "dispatch rule sayna-sip--dispatch (SDR_1) would be changed",
      "  - room_config.max_participants: 3",
      "  + room_config.max_participants: 5",
      "One would be changed; nothing was.",
      "",
    ].join("\n"),
  );
  expect((await run()).exitCode).toBe(0);
  expect([...livekit.state.rules.values()][0]).toMatchObject({ room_config: { max_participants: 5 } });
});

test("LiveKit's refusals, no credentials, and SIP that is off end it with 1 and what to do", async () => {
  const wrong = await runCommandLine(["provision", "--dry-run"], {
    env: { ...env, LIVEKIT_API_SECRET: "another-secret" },
  });
  expect(wrong.exitCode).toBe(1);
  expect(wrong.stderr).toContain("does not accept the API key and secret");
  expect(wrong.stderr).toContain("\nCheck livekit.api_key and livekit.api_secret");
  const { LIVEKIT_API_KEY: _, LIVEKIT_API_SECRET: __, ...none } = env;
  expect((await runCommandLine(["provision"], { env: none })).stderr).toStartWith(
    "error: There are no LiveKit credentials\n",
  );
  expect((await runCommandLine(["provision"])).stderr).toStartWith(
    "error: SIP is off: there is nothing to provision\n",
  );
  env["SIP_PROVISION"] = "false";
  expect((await run()).stderr).toStartWith("error: sip.provision is false");
});
