import { describe, expect, test } from "bun:test";
import { planReload, RELOADED_SETTINGS, RELOADED_SIP_SETTINGS } from "../../../plugins/config-loader";
import { quoted, section, tableRows } from "../../readme/readme";
import { load } from "./load-text";

const base = `
livekit: {api_key: key, api_secret: LIVEKIT_MARK}
sip:
  room_prefix: sip-
  provision: false
  hooks: [{host: a.example.com, url: "https://a.example/", secret: HOOK_MARK}]
`;
const plan = (next: string, running = base) => planReload(load(running), load(next));

test("the same configuration changes nothing", () => {
  const running = load(base);
  const { config, changed, waiting } = planReload(running, load(base));
  expect([changed, waiting]).toEqual([[], []]);
  expect(config).toEqual({ ...running, plugins: [] });
});

describe("without a restart", () => {
  test.each([
    ["sip.hooks", base.replace("https://a.example/", "https://b.example/")],
    ["sip.hooks", base.replace("HOOK_MARK", "OTHER")],
    ["sip.delivery.max_age", `${base}  delivery: {max_age: 1h}\n`],
    ["sip.hook_secret", `${base}  hook_secret: one\n`],
    ["sip.routes", `${base}  routes: []\n  matchers: [exact-host]\n`],
    ["sip.allowed_hook_ranges", `${base}  allowed_hook_ranges: [10.0.0.0/8]\n`],
    ["retention.dead", `${base}retention: {dead: 1d}\n`],
    ["auth.api_secrets", `${base}auth: {api_secrets: [{id: ops, secret: t}]}\n`],
    ["log.level", `${base}log: {level: debug}\n`],
  ])("%s counts at once", (name, next) => {
    const { config, changed, waiting } = plan(next);
    expect(waiting).toEqual([]);
    expect(changed).toEqual([name === "sip.routes" ? "sip.matchers" : name]);
    expect(planReload(config, load(next)).changed).toEqual([]);
  });

  test("what is taken out is gone", () => {
    const { config, changed } = plan(base, `${base}  hook_secret: one\n`);
    expect(changed).toEqual(["sip.hook_secret"]);
    expect(config.sip).not.toHaveProperty("hook_secret");
  });
});

describe("with one", () => {
  test("server, storage, prefix and the like are named with what they were and are, and stay", () => {
    const { config, changed, waiting } = plan(`server: {port: 4000}\n${base.replace("sip-", "call-")}`);
    expect(waiting).toEqual([
      { setting: "server.port", before: "3001", after: "4000" },
      { setting: "sip.room_prefix", before: "sip-", after: "call-" },
    ]);
    expect([config.server.port, config.sip?.room_prefix, changed]).toEqual([3001, "sip-", []]);
  });

  test("the rest counts at once", () => {
    const { changed, waiting } = plan(`server: {port: 4000}\nlog: {level: warn, format: json}\n${base}`);
    expect(changed).toEqual(["log.level"]);
    expect(waiting.map(({ setting }) => setting)).toEqual(["server.port", "log.format"]);
  });

  test("secrets and plugins' options are not shown", () => {
    const next = `${base.replace("LIVEKIT_MARK", "NEXT_MARK")}storage: postgres://u:STORAGE_MARK@db/x\nplugins: [{module: ./x.ts, options: {token: OPTION_MARK}}]\n`;
    const { waiting } = plan(next);
    expect(waiting).toEqual([
      { setting: "storage", before: "sqlite", after: '{"postgres":"[secret]"}' },
      { setting: "livekit.api_secret", before: "[secret]", after: "another [secret]" },
      { setting: "plugins", before: "[]", after: '["./x.ts"]' },
    ]);
  });

  test("matchers and routes wait for the plugins that they may name", () => {
    const next = `${base}  matchers: [by-moon, exact-host]\nplugins: [./by-moon.ts]\n`;
    const { config, waiting } = plan(next);
    expect(waiting.map(({ setting }) => setting)).toEqual(["sip.matchers", "plugins"]);
    expect(config.sip?.matchers).toEqual(["exact-host", "wildcard-host"]);
  });

  test("SIP is switched on and off", () => {
    const off = "retention: {dead: 1d}\n";
    expect(plan(off)).toMatchObject({
      changed: ["retention.dead"],
      waiting: [
        { setting: "livekit.api_key" },
        { setting: "livekit.api_secret" },
        { setting: "sip", before: "on", after: "off" },
      ],
    });
    expect(plan(base, off).config.sip).toBeUndefined();
  });
});

test("the README names what counts without a restart, and nothing else", () => {
  const rows = tableRows(section("Without a restart"));
  const named = rows.flatMap(([cell = ""]) => quoted(cell));
  expect(named.toSorted()).toEqual(
    [...RELOADED_SETTINGS, ...RELOADED_SIP_SETTINGS.map((name) => `sip.${name}`)].toSorted(),
  );
});
