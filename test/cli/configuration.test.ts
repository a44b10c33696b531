import { describe, expect, test, setDefaultTimeout } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isStandardWebhooksSecret, parseSigningKey } from "../../src/domain/signatures";
import { runCommandLine } from "../support/run-command";
import { temporaryDirectory } from "../support/server-process";

// Each runs processes, which a busy machine is slow to start; what a time-out kills includes the service of all.
setDefaultTimeout(240_000);

const RIGHT = { SIP_ROOM_PREFIX: "sip-", SIP_ALLOWED_ADDRESSES: "203.0.113.0/24" };

describe("check", () => {
  test("of a right configuration ends with 0, and says what a start would", async () => {
    const { exitCode, stdout, stderr } = await runCommandLine(["check"], { env: { ...RIGHT, HOST: "0.0.0.0" } });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toBe(
      "warning: The management API on 0.0.0.0 is open to everybody who can reach it. Set AUTH_REQUIRED=true (auth.required) and AUTH_API_SECRET.\n" +
        "The configuration is right.\n",
    );
  });

  test("of a wrong one ends with 1 and every problem, with its place and what to do", async () => {
    const { exitCode, stdout, stderr } = await runCommandLine(["check"], {
      env: { SIP_ROOM_PREFIX: "a b", PORT: "x" },
    });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr.match(/^ {2}\w+: /gm)).toEqual(["  PORT: ", "  SIP_ROOM_PREFIX: ", "  SIP_ROOM_PREFIX: "]);
    const json = await runCommandLine(["check", "--json"], { env: { SIP_ROOM_PREFIX: "a b", PORT: "x" } });
    const { error } = JSON.parse(json.stdout) as { error: { code: string; problems: readonly object[] } };
    expect([json.exitCode, error.code, error.problems.length]).toEqual([1, "configuration", 3]);
  });

  test("refuses a matcher that nobody brings, and a plugin that is none", async () => {
    const { path, remove } = await temporaryDirectory();
    const file = join(path, "c.yaml");
    try {
      writeFileSync(file, "sip: {room_prefix: sip-, provision: false, matchers: [exact-hots]}");
      expect((await runCommandLine(["check", "--config", file])).stderr).toBe(
        "error: sip.matchers names exact-hots, which is neither built in nor brought by a plugin\n" +
          "Known are: exact-host, wildcard-host, called-number, number-prefix, trunk, attribute.\n",
      );
      writeFileSync(join(path, "plugin.ts"), "export default 5");
      writeFileSync(file, "plugins: [./plugin.ts]");
      const refused = await runCommandLine(["check", "--config", file]);
      expect([refused.exitCode, refused.stderr]).toEqual([
        1,
        expect.stringContaining("The plugin ./plugin.ts has no plugin"),
      ]);
    } finally {
      await remove();
    }
  });
});

describe("keys generate", () => {
  test("makes what the configuration takes, new each time", async () => {
    const [one, other] = await Promise.all([
      runCommandLine(["keys", "generate", "--json"]),
      runCommandLine(["keys", "generate", "--json"]),
    ]);
    const keys = JSON.parse(one.stdout) as Record<string, string>;
    expect([one.exitCode, Object.keys(keys)]).toEqual([0, ["hook_secret", "signing_key", "public_key", "api_secret"]]);
    expect(isStandardWebhooksSecret(keys["hook_secret"] ?? "")).toBe(true);
    expect(parseSigningKey(keys["signing_key"] ?? "")?.publicKey).toBe(keys["public_key"] ?? "none");
    const again = Object.values(JSON.parse(other.stdout) as Record<string, string>);
    expect(Object.values(keys).filter((key) => again.includes(key))).toEqual([]);
  });

  test("prints YAML that is a right configuration as it is, with what else SIP needs", async () => {
    const { path, remove } = await temporaryDirectory();
    try {
      const file = join(path, "keys.yaml");
      writeFileSync(file, (await runCommandLine(["keys", "generate"])).stdout);
      expect(await runCommandLine(["check", "--config", file], { env: RIGHT })).toMatchObject({
        exitCode: 0,
        stderr: "",
      });
    } finally {
      await remove();
    }
  });

  test("makes only what is asked for, and of no kind that it does not know", async () => {
    const one = await runCommandLine(["keys", "generate", "api-secret", "--json"]);
    expect(Object.keys(JSON.parse(one.stdout) as object)).toEqual(["api_secret"]);
    expect((await runCommandLine(["keys", "generate", "rsa"])).exitCode).toBe(2);
  });
});
