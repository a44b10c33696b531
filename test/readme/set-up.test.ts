import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { startFakeLiveKit, type FakeLiveKit } from "../support/fake-livekit";
import { RECORDED_KEY, recordedWebhooks } from "../support/recordings";
import { sendWebhook } from "../support/livekit-sender";
import { ServerProcess, temporaryDirectory } from "../support/server-process";
import { testCa } from "../support/test-ca";
import { startTlsReceiver, type TlsReceiver } from "../support/tls-receiver";
import { isStandardWebhooksSecret, saynaSignature } from "../../src/domain/signatures";
import { curlRequests } from "./curl-requests";
import { CODE_BLOCKS, codeBlock, quoted, ROOT, section } from "./readme";

const SET_UP = "Set it up, from an empty VM to the first call";
const OPS = "the-operators-token";
const HOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const call = recordedWebhooks("answered-call").map(({ body }) => body);

let livekit: FakeLiveKit;
let tenant: TlsReceiver;
let server: ServerProcess;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

/** The README's files below a directory of the test. */
const here = (text: string): string =>
  text.replaceAll("/etc/sayna-sip", join(directory.path, "etc")).replaceAll("/var/lib/sayna-sip", directory.path);

beforeAll(async () => {
  directory = await temporaryDirectory();
  livekit = await startFakeLiveKit({ apiKey: "APIexample", apiSecret: RECORDED_KEY.apiSecret });
  const ca = await testCa();
  tenant = await startTlsReceiver({ ca });
  await mkdir(join(directory.path, "etc"));
  await writeFile(here("/etc/sayna-sip/livekit-secret"), RECORDED_KEY.apiSecret);
  await writeFile(here("/etc/sayna-sip/ops-token"), `${OPS}\n`);
  await writeFile(here("/etc/sayna-sip/tenant-a-hook-secret"), `${HOOK_SECRET}\n`);
  const written = parse(here(codeBlock("sayna-sip.yaml"))) as { livekit: object; sip: object };
  server = await ServerProcess.start({
    dataDir: directory.path,
    caFile: ca.caFile,
    config: {
      ...written,
      livekit: { ...written.livekit, url: livekit.url },
      // The tenant's receiver is on this machine, which a hook added at run time may not reach otherwise.
      sip: { ...written.sip, allowed_hook_ranges: ["127.0.0.0/8", "::1"] },
    },
  });
});

afterAll(async () => {
  await server.killHard();
  await tenant.stop();
  await livekit.stop();
  await directory.remove();
});

/** A line of the README's logs, whose left-out parts are an ellipsis, as a pattern for a line that was written. */
const patternOf = (line: string): RegExp =>
  new RegExp(
    `^${line
      .split("…")
      .map((part) => RegExp.escape(part))
      .join(".*")}$`,
  );

function expectLines(name: string, written: readonly string[]): void {
  const lines = codeBlock(name).trim().split("\n");
  const patterns = lines.map((line) => patternOf(here(line).replace("127.0.0.1:3001", "127.0.0.1:…")));
  const missing = lines.filter((_, i) => !patterns[i]?.test(written[i] ?? ""));
  expect({ missing, written: missing.length === 0 ? [] : written }).toEqual({ missing: [], written: [] });
}

describe("the set-up", () => {
  test("LiveKit's webhook leads to the service's port and route, signed with a key that both know", () => {
    const lk = parse(codeBlock("livekit.yaml")) as {
      keys: Record<string, string>;
      webhook: { api_key: string; urls: string[] };
    };
    const ours = parse(codeBlock("sayna-sip.yaml")) as { livekit: { api_key: string } };
    const sip = parse(codeBlock("livekit-sip.yaml")) as Record<string, unknown>;
    expect(Object.keys(lk.keys)).toContain(lk.webhook.api_key);
    expect(ours.livekit.api_key).toBe(lk.webhook.api_key);
    expect(sip).toMatchObject({ api_key: lk.webhook.api_key, api_secret: lk.keys[lk.webhook.api_key] });
    expect(lk.webhook.urls).toEqual(["http://127.0.0.1:3001/livekit/webhook"]);
  });

  test("a first start writes the log lines that the README shows, and nothing else", async () => {
    await server.waitForLine("Successfully provisioned");
    expectLines("start.log", server.raw);
    expect(server.raw).toHaveLength(codeBlock("start.log").trim().split("\n").length);
    expect(livekit.unexpected).toEqual([]);
  });

  test("then it is ready, in the words of the README", async () => {
    const response = await fetch(`${server.url}/health/ready`);
    expect(response.status).toBe(200);
    expect(quoted(section(SET_UP))).toContain(await response.text());
  });

  test("the first hook is taken, and the first call delivered and logged as shown, signed with the tenant's secret", async () => {
    const [request, ...others] = curlRequests(codeBlock("first-hook"), { OPS });
    expect(others).toEqual([]);
    const hook = here(request?.body ?? "").replace("https://hooks.tenant-a.example/livekit", tenant.url("/livekit"));
    const answer = await fetch(`${server.url}${new URL(request?.url ?? "").pathname}`, {
      method: request?.method ?? "",
      headers: request?.headers ?? {},
      body: hook,
    });
    expect([answer.status, await answer.json()]).toMatchObject([200, { hooks: [{ state: "active" }] }]);

    const before = server.raw.length + 1;
    for (const body of call) {
      const sent = await sendWebhook(server.url, body, { apiKey: "APIexample" });
      expect(sent).toMatchObject({ status: 200 });
    }
    await tenant.waitFor(call.length);
    const ended = () => server.raw.slice(before - 1).filter((line) => line.includes('"msg":"Call ended"'));
    await server.waitUntil(() => ended().length === 1, "the call's line");
    expectLines("call.log", ended());
    const [first] = tenant.requests;
    const [id = "", time = ""] = [first?.header("webhook-id"), first?.header("webhook-timestamp")];
    expect(first?.header("x-sayna-signature")).toBe(
      saynaSignature(HOOK_SECRET, id, Number(time), first?.body ?? Buffer.of()),
    );
  });

  test("the commands that make secrets make ones that are accepted", async () => {
    const shell = CODE_BLOCKS.filter(({ language }) => language === "sh").map(({ content }) => content);
    const command = shell.join("\n").match(/^echo "whsec_\$\(openssl rand -base64 (\d+)\)"/m);
    const bytes = Number(command?.[1]);
    expect(isStandardWebhooksSecret(`whsec_${Buffer.alloc(bytes, 7).toString("base64")}`)).toBe(true);
  });

  test("every file that the configuration names is made by a command", () => {
    const files = [...codeBlock("sayna-sip.yaml").matchAll(/file:\/etc\/sayna-sip\/([\w-]+)/g)].map(
      ([, name = ""]) => name,
    );
    const made = CODE_BLOCKS.flatMap(({ content }) => [...content.matchAll(/^(?:printf|openssl|echo) .* > (\S+)$/gm)]);
    expect([...new Set(files)].toSorted()).toEqual(made.map(([, name = ""]) => name).toSorted());
  });
});

test("every script that a command runs is one of package.json, with the Bun that it names", async () => {
  const { scripts, engines } = (await Bun.file(join(ROOT, "package.json")).json()) as {
    scripts: Record<string, string>;
    engines: { bun: string };
  };
  const commands = quoted(section("Try it"));
  const byNode = commands.flatMap((command) => /^npx -y bun@(\S+) run (\S+)$/.exec(command)?.slice(1) ?? []);
  expect(byNode).toEqual(["demo", "test", "torture", "bench", "build"].flatMap((script) => [engines.bun, script]));
  for (const script of ["demo", "test", "torture"]) {
    expect(commands).toContain(`bun run ${script}`);
    expect(scripts[script]).toContain("bun install --frozen-lockfile");
  }
});
