import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { World } from "../support/world";
import { runCli, steady, type CliOptions } from "./run-cli";

const OPS = "ops-token-1234567890";
const TENANT = "tenant-a-token-1234567890";
const SECRET = `whsec_${Buffer.alloc(24, 1).toString("base64")}`;

let world: World;
let status = 200;

beforeAll(async () => {
  world = await World.start({
    tenants: { a: [{ host: "tenant-a.example.com", auth_id: "tenant-a" }] },
    receivers: { a: { respond: () => ({ status, body: status === 200 ? "" : "down for maintenance" }) } },
    sip: { hook_secret: SECRET },
    config: {
      auth: {
        required: true,
        api_secrets: [
          { id: "ops", secret: OPS, role: "operator" },
          { id: "tenant-a", secret: TENANT, role: "tenant", hosts: ["*.tenant-a.example.com"] },
        ],
      },
    },
  });
});

afterAll(() => world.end());

const hooks = async (args: readonly string[], { env, ...options }: CliOptions = {}) => {
  const run = await runCli(["hooks", ...args], {
    ...options,
    env: { SAYNA_SIP_URL: world.server.url, SAYNA_SIP_TOKEN: OPS, ...env },
  });
  return { ...run, out: steady(run.out), err: steady(run.err), json: run.out };
};
const jsonOf = ({ json }: { json: string }) => JSON.parse(json) as { hooks: { host: string }[] };

const HEAD = "HOST  AUTH_ID  FROM  STATE  URL\n";
const A = "tenant-a.example.com  tenant-a  config  active  https://localhost:<port>/a";

describe("hooks list, add, pause, resume, remove, history and rollback, one after the other", () => {
  test("list shows the table", async () => {
    expect(await hooks(["list"])).toMatchObject({ code: 0, err: "", out: `${HEAD}${A}` });
    expect(jsonOf(await hooks(["list", "--json"])).hooks).toMatchObject([{ host: "tenant-a.example.com" }]);
  });

  test("add adds one and shows it; with --json the API's answer", async () => {
    const added = await hooks(["add", "B.example.com", "https://b.example/hook", "--auth-id", "tenant-b"]);
    expect(added).toMatchObject({
      code: 0,
      out: `${HEAD}b.example.com  tenant-b  runtime  active  https://b.example/hook`,
    });
    const again = await hooks(["add", "b.example.com", "https://b.example/v2", "--auth-id", "tenant-b", "--json"]);
    expect(jsonOf(again).hooks).toHaveLength(2);
  });

  test("add takes several from a file, or from the standard input", async () => {
    const file = join(world.directory, "hooks.json");
    const entries = ["c", "d"].map((name) => ({
      host: `${name}.example.com`,
      url: "https://c.example/",
      auth_id: "c",
    }));
    await writeFile(file, JSON.stringify({ hooks: entries }));
    expect((await hooks(["add", "--from", file])).out.split("\n")).toHaveLength(3);
    expect(await hooks(["add", "--from", "-"], { stdin: JSON.stringify({ hooks: entries.slice(1) }) })).toMatchObject({
      code: 0,
      out: `${HEAD}d.example.com  c  runtime  active  https://c.example/`,
    });
  });

  test("what the API refuses is its error, and 1", async () => {
    const added = await hooks(["add", "e.example.com", "http://e.example/", "--auth-id", "e"]);
    expect(added).toMatchObject({
      code: 1,
      out: "",
      err:
        "error: SIP hook URL must be HTTPS (insecure_url, 400 from http://127.0.0.1:<port>)\n" +
        "Use a URL that begins with https://.",
    });
  });

  test.each([
    [["add", "e.example.com"], "error: a hook is a host and an https:// URL"],
    [["add", "e.example.com", "https://e.example/", "--from", "x.json"], "error: --from has all that the hooks are"],
    [["add", "--from", "/dev/null"], "error: /dev/null is no JSON"],
    [["add", "--from", "/dev/null/x"], "error: The file cannot be read"],
    [["remove"], "error: missing required argument 'hosts'"],
    [["rollback", "first"], "It is a whole number, 0 or more."],
    [["history", "--limit", "0"], "It is a whole number, 1 or more."],
    [["lst"], "error: unknown command 'lst'\n(Did you mean list?)"],
  ])("used wrongly: 2, %j", async (args, message) => {
    expect(await hooks(args)).toMatchObject({ code: 2, out: "", err: expect.stringContaining(message) });
  });

  test("pause and resume", async () => {
    expect((await hooks(["pause", "c.example.com", "d.example.com"])).out.split("\n").slice(1)).toEqual([
      "c.example.com  c  runtime  paused: paused by an operator  https://c.example/",
      "d.example.com  c  runtime  paused: paused by an operator  https://c.example/",
    ]);
    expect((await hooks(["resume", "c.example.com"])).out).toContain("c.example.com  c  runtime  active");
    expect(await hooks(["pause", "none.example.com"])).toMatchObject({
      code: 1,
      err: expect.stringContaining("There is no hook for this host: none.example.com"),
    });
  });

  test("remove", async () => {
    expect(await hooks(["remove", "c.example.com", "d.example.com"])).toMatchObject({
      code: 0,
      out: "Deleted: c.example.com, d.example.com. 2 hooks are left.",
    });
    expect(await hooks(["remove", "tenant-a.example.com"])).toMatchObject({ code: 1 });
  });

  test("history lists the versions, what one changed, and what lies between two", async () => {
    expect((await hooks(["history", "--limit", "2"])).out.split("\n")).toEqual([
      "VERSION  AT  WHO  CHANGED  HOSTS",
      "4  <time>  ops  +0 ~0 -2  c.example.com, d.example.com",
      "3  <time>  ops  +2 ~0 -0  c.example.com, d.example.com",
    ]);
    expect((await hooks(["history", "2"])).out).toBe(
      "version 1 -> 2\nb.example.com\n- url: https://b.example/hook\n+ url: https://b.example/v2",
    );
    expect((await hooks(["history", "2", "4"])).out).toBe("The hooks of version 4 are those of version 2.");
    expect(await hooks(["history", "99"])).toMatchObject({
      code: 1,
      err: expect.stringContaining("version_not_found"),
    });
    expect(await hooks(["history"], { env: { SAYNA_SIP_TOKEN: TENANT } })).toMatchObject({
      code: 1,
      err: expect.stringContaining("This credential may not do that (forbidden, 403"),
    });
  });

  test("a version that there is not is named as it was asked for, with the command that lists them: 1", async () => {
    expect(await hooks(["history", "99"])).toMatchObject({
      code: 1,
      err: expect.stringMatching(
        /hooks: 99 \(version_not_found, 404 .*\)\nThose that there are: sayna-sip hooks history; /,
      ),
    });
  });

  test("rollback shows what it would change, and changes it", async () => {
    expect((await hooks(["rollback", "1", "--dry-run"])).out).toBe(
      "version 4 -> 1\nb.example.com\n- url: https://b.example/v2\n+ url: https://b.example/hook",
    );
    expect((await hooks(["list"])).out).toContain("https://b.example/v2");
    expect((await hooks(["rollback", "1"])).out).toContain("https://b.example/hook");
  });
});

describe("hooks test", () => {
  test("a hook that works: the address, the certificate's end, the signatures, the answer; 0", async () => {
    status = 200;
    const { code, out } = await hooks(["test", "tenant-a.example.com"]);
    expect(code).toBe(0);
    const lines = out.split("\n");
    expect(lines.filter((line) => !line.startsWith("tls"))).toEqual([
      "hook  tenant-a.example.com (tenant-a)",
      "url  https://localhost:<port>/a",
      "address  127.0.0.1, allowed",
      "signed  webhook-signature, X-Sayna-Signature; webhook-id EV_test_<id>",
      "answer  200",
      "time  <length>",
      "state  active",
      "result  ok",
    ]);
    const tls =
      /^tls {2}TLSv1\.3, certificate of localhost, 127\.0\.0\.1 by Test CA .*, good until \d{4}-\d\d-\d\d \(\d+ days\)$/m;
    expect(out).toMatch(tls);
  });

  test("a hook that does not work: what it answered; 1", async () => {
    status = 503;
    const run = await hooks(["test", "tenant-a.example.com"], { env: { SAYNA_SIP_TOKEN: TENANT } });
    expect(run.code).toBe(1);
    expect(run.out).toContain("answer  503: down for maintenance");
    expect(run.out).toContain("address  allowed\n");
    expect(run.out).toEndWith("result  a delivery would fail, and be tried again");
    const json = JSON.parse((await hooks(["test", "tenant-a.example.com", "--json"])).json) as object;
    expect(json).toMatchObject({ test: { ok: false, outcome: "endpoint_failed", attempt: { status: 503 } } });
  });

  test("an address that it may not reach, and a host that has no hook; 1", async () => {
    const url = world.tenant("a").url("/private");
    await hooks(["add", "private.example.com", url, "--auth-id", "private"]);
    const run = await hooks(["test", "private.example.com"]);
    expect(run.code).toBe(1);
    expect(run.out).toContain("address  not allowed: a hook added at run time may not reach a private address");
    expect(await hooks(["test", "none.example.com"])).toMatchObject({
      code: 1,
      err: expect.stringContaining("There is no hook for this host: none.example.com"),
    });
  });
});
