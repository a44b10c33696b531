import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { loadConfig } from "../../../plugins/config-loader";
import {
  credentials,
  delivery,
  failure,
  hooks,
  load,
  messagesOf,
  problemsOf,
  SIP,
  unbranded,
  withFile,
} from "./load-text";

describe("defaults", () => {
  const DEFAULTS = {
    server: { host: "127.0.0.1", port: 3001 },
    data_dir: "./data",
    storage: "sqlite",
    retention: { delivered: 604_800_000, dead: 2_592_000_000, unmatched: 2_592_000_000, max_size: 2_147_483_648 },
    livekit: { url: "ws://localhost:7880", webhook_keys: [] },
    auth: { required: false, api_secrets: [] },
    sip: undefined,
    log: { level: "info", format: "auto" },
    plugins: [],
  };

  test.each([
    ["an empty file", ""],
    ["white space", "  \n\n"],
    ["comments only", "# nothing\n"],
    ["null", "null\n"],
    ["an empty mapping", "{}"],
    ["blocks without content", "server:\nlivekit:\nauth:\n  api_secrets:\nplugins:\n"],
    ["a byte order mark", "\uFEFF"],
  ])("%s is the empty configuration", (_, yaml) => {
    expect(unbranded(load(yaml))).toEqual(DEFAULTS);
  });

  test("of the sip block", () => {
    expect(unbranded(load(SIP).sip)).toEqual({
      room_prefix: "sip-",
      allowed_addresses: ["203.0.113.0/24"],
      max_participants: 3,
      provision: true,
      set_room_owner: true,
      host_headers: ["To"],
      matchers: ["exact-host", "wildcard-host"],
      matcher_deadline: 2000,
      routes: [],
      hooks: [],
      allowed_hook_ranges: [],
      allowed_secret_refs: [],
      delivery: {
        schedule: [1000, 5000, 15_000, 60_000, 300_000],
        max_age: 86_400_000,
        deadline: 10_000,
        concurrency: 10,
        order: "call",
        events: ["*"],
        expiry: [],
      },
    });
  });

  test("loading changes no default for the next one", () => {
    load("plugins: [a]\nserver: {port: 5}\n");
    expect(unbranded(load(""))).toEqual(DEFAULTS);
  });
});

describe("values are read into what the service works with", () => {
  test("hosts are normalised, urls kept as written", () => {
    const { sip } = load(
      hooks(
        "{host: A.Example., url: 'https://A.example'}",
        "{host: '*.B.example', url: https://b.example/x?y=1, auth_id: b, secret: 'file:/run/b'}",
      ),
    );
    expect(unbranded(sip?.hooks)).toEqual([
      { host: "a.example", url: "https://A.example" },
      { host: "*.b.example", url: "https://b.example/x?y=1", auth_id: "b", secret: { kind: "file", path: "/run/b" } },
    ]);
  });

  test("durations are milliseconds", () => {
    const { sip } = load(
      delivery("schedule: [250ms, 2m], max_age: 7d, deadline: 1s, expiry: [{events: a_*, after: 1m}]"),
    );
    expect(sip?.delivery).toMatchObject({
      schedule: [250, 120_000],
      max_age: 604_800_000,
      deadline: 1000,
      expiry: [{ events: "a_*", after: 60_000 }],
    });
  });

  test("a hook has of the delivery policy what it gives, and nothing else", () => {
    const { sip } = load(hooks("{host: a.b, url: https://a.b, delivery: {rate: 5, max_age: 1h, order: none}}"));
    expect(sip?.hooks[0]?.delivery).toEqual({ rate: 5, max_age: 3_600_000, order: "none" });
  });

  test("a credential is an operator's unless it says tenant", () => {
    const { auth } = load(
      credentials("{id: ops, secret: a}", "{id: t, secret: b, role: tenant, hosts: ['*.T.example', t.example]}"),
    );
    expect(auth.api_secrets.map(({ id, role, hosts }) => [id, role, hosts.join()])).toEqual([
      ["ops", "operator", ""],
      ["t", "tenant", "*.t.example,t.example"],
    ]);
  });

  test("numbers and words in quotes are strings", () => {
    expect(load("sip: {room_prefix: '123', provision: false}").sip?.room_prefix).toBe("123");
  });
});

describe("unknown keys", () => {
  test.each([
    ["data_dri: x", "Unknown key 'data_dri'", "Did you mean 'data_dir'?"],
    ["server: {prot: 1}", "Unknown key 'prot' in server", "Did you mean 'port'?"],
    [`${SIP}  delivery: {max_ages: 1h}`, "Unknown key 'max_ages' in sip.delivery", "Did you mean 'max_age'?"],
    [hooks("{hots: a}"), "Unknown key 'hots' in sip.hooks[0]", "Did you mean 'host'?"],
    ["server: {tls: true}", "Unknown key 'tls' in server", "Known here: host, port, management."],
    ["<<: {a: b}", "Unknown key", expect.stringContaining("Known here: server, data_dir")],
    ["__proto__: {sip: 1}", "Unknown key '__proto__'", expect.any(String)],
    ["server: {__proto__: {port: 1}}", "Unknown key '__proto__' in server", expect.any(String)],
    ["constructor: 1", "Unknown key 'constructor'", expect.any(String)],
    ["1: x", "Unknown key", expect.any(String)],
  ])("%s is a problem that helps", (yaml, message, hint) => {
    expect(problemsOf(yaml)).toContainEqual({ message, hint, source: expect.stringMatching(/^\d+:\d+$/) });
  });
});

describe("all problems come at once", () => {
  const YAML = `server:
  prot: 80
livekit: {api_key: k}
sip:
  room_prefix: 123
  allowed_addresses: [1.2.3, ::1/129]
  hooks:
    - {host: a.example, url: http://x}
    - {host: A.example, url: https://x}
  delivery: {deadline: 10, concurrency: 0}
`;

  test("each with its source, in the order of the lines, then of the variables", () => {
    const problems = problemsOf(YAML, { SIP_MAX_PARTICIPANTS: "x", PORT: "abc", AUTH_REQUIERD: "1" });
    expect(problems.map(({ source, message }) => `${source} ${message}`)).toEqual([
      "2:3 Unknown key 'prot' in server",
      "3:11 livekit.api_key is set without livekit.api_secret",
      "5:3 sip.room_prefix must be a string, not a number",
      "6:23 SIP allowed_address '1.2.3' does not look valid",
      "6:30 SIP allowed_address '::1/129' does not look valid",
      "8:25 SIP hook URL must be HTTPS (sip.hooks[0].url)",
      "9:8 Duplicate SIP hook host: 'a.example' (sip.hooks[1].host)",
      "10:14 sip.delivery.deadline must be a duration such as 10s, not a number",
      "10:28 sip.delivery.concurrency must be a whole number from 1 to 200, not 0",
      "AUTH_REQUIERD AUTH_REQUIERD is not a known variable",
      "PORT server.port must be a whole number from 0 to 65535, not a string",
      "SIP_MAX_PARTICIPANTS sip.max_participants must be a whole number from 1 to 4294967295, not a string",
    ]);
  });

  test("the error's message lists them with what to do", () => {
    withFile("data_dri: x\n", (file) => {
      expect(failure(() => loadConfig({ file, env: { PORT: "70000" } })).message).toBe(
        [
          "The configuration has 2 problems:",
          `  ${file}:1:1: Unknown key 'data_dri'`,
          "    Did you mean 'data_dir'?",
          "  PORT: server.port must be a whole number from 0 to 65535, not 70000",
          "    Write a number within these limits, without quotes.",
        ].join("\n"),
      );
    });
  });

  test("a value that is shown in a message is short and cannot steer the terminal", () => {
    const yaml = `sip: {room_prefix: a, allowed_addresses: ["\\e[31m\\n1", ${"x".repeat(300)}]}`;
    expect(messagesOf(yaml)).toEqual([
      "SIP allowed_address '\uFFFD[31m\uFFFD1' does not look valid",
      `SIP allowed_address '${"x".repeat(80)}…' does not look valid`,
    ]);
  });

  test("a value is blamed once", () => {
    expect(messagesOf("auth: {required: true, api_secrets: {id: a}}")).toEqual([
      "auth.api_secrets must be a list, not a mapping",
    ]);
  });
});

describe("the file", () => {
  test("that was named must exist, and the variables' own problems are told as well", () => {
    const file = join(import.meta.dir, "no-such-file.yaml");
    const env = { PORT: "abc", SIP_HOOKS_JSON: "[]", AUTH_REQUIRED: "true", LIVEKIT_API_KEY: "k" };
    expect(failure(() => loadConfig({ file, env })).problems.map(({ message, source }) => [source, message])).toEqual([
      [file, "The configuration file cannot be read: there is no such file"],
      ["PORT", "server.port must be a whole number from 0 to 65535, not a string"],
    ]);
  });

  test("cannot be a directory", () => {
    expect(failure(() => loadConfig({ file: import.meta.dir, env: {} })).problems).toEqual([
      expect.objectContaining({ message: "The configuration file cannot be read: it is a directory" }),
    ]);
  });

  test("must be UTF-8", () => {
    expect(messagesOf(Buffer.from("sip: \u00e9", "latin1"))).toEqual(["The configuration file is not UTF-8"]);
  });

  test("cannot be endless", () => {
    expect(messagesOf(new Uint8Array(8 * 1024 * 1024 + 1).fill(35))).toEqual([
      "The configuration file is larger than 8 MiB",
    ]);
  });
});
