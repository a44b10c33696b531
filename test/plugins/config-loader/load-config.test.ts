import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { loadConfig } from "../../../plugins/config-loader";
import { failure, load, messagesOf, problemsOf, SIP, withFile, unbranded } from "./load-text";

const hooks = (...entries: string[]): string => `${SIP}  hooks: [${entries.join(", ")}]\n`;
const credentials = (...entries: string[]): string => `auth: {api_secrets: [${entries.join(", ")}]}\n`;
const delivery = (settings: string): string => `${SIP}  delivery: {${settings}}\n`;

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

describe("what a single value must be", () => {
  test.each<[string, string, string]>([
    ["number for a string", "data_dir: 5", "data_dir must be a string, not a number"],
    [
      "number for the prefix",
      "sip: {room_prefix: 123, provision: false}",
      "sip.room_prefix must be a string, not a number",
    ],
    [
      "bool for the prefix",
      "sip: {room_prefix: true, provision: false}",
      "sip.room_prefix must be a string, not true or false",
    ],
    [
      "number for a secret",
      "livekit: {api_key: k, api_secret: 123}",
      "livekit.api_secret must be a string, not a number",
    ],
    [
      "string for a number",
      'server: {port: "3001"}',
      "server.port must be a whole number from 0 to 65535, not a string",
    ],
    ["fraction", "server: {port: 1.5}", "server.port must be a whole number from 0 to 65535, not 1.5"],
    ["port too high", "server: {port: 65536}", "server.port must be a whole number from 0 to 65535, not 65536"],
    ["port too low", "server: {port: -1}", "server.port must be a whole number from 0 to 65535, not -1"],
    ["string for a bool", "auth: {required: yes}", "auth.required must be true or false, not a string"],
    ["number for a bool", "auth: {required: 1}", "auth.required must be true or false, not a number"],
    ["no value", "data_dir:", "data_dir must be a string, not nothing"],
    ["string for a list", "plugins: ./a.ts", "plugins must be a list, not a string"],
    ["mapping for a list", "plugins: {a: b}", "plugins must be a list, not a mapping"],
    ["list for a mapping", "server: [a]", "server must be a mapping, not a list"],
    ["string for a mapping", "livekit: api_secret:abc", "livekit must be a mapping, not a string"],
    ["no entry", "plugins: [a, ]\nauth: {api_secrets: [~]}", "auth.api_secrets[0] must be a mapping, not nothing"],
    ["empty data_dir", "data_dir: ''", "data_dir cannot be empty"],
    [
      "data_dir with a line break",
      'data_dir: "a\\nb"',
      "data_dir has white space at an end, or a line break or control character in it",
    ],
    ["empty plugin", "plugins: ['']", "plugins[0].module cannot be empty"],
    [
      "listen host with a port",
      "server: {host: '0.0.0.0:3001'}",
      "server.host is not an address to listen on: '0.0.0.0:3001'",
    ],
    [
      "listen host in brackets with a port",
      "server: {host: '[::1]:3001'}",
      "server.host is not an address to listen on: '[::1]:3001'",
    ],
    [
      "listen host that is a URL",
      "server: {host: 'http://a'}",
      "server.host is not an address to listen on: 'http://a'",
    ],
    ["LiveKit url without scheme", "livekit: {url: 'localhost:7880'}", "livekit.url is not a URL of LiveKit"],
    ["LiveKit url of another scheme", "livekit: {url: 'ftp://l'}", "livekit.url is not a URL of LiveKit"],
    ["LiveKit url with a password", "livekit: {url: 'wss://a:b@l'}", "livekit.url is not a URL of LiveKit"],
    [
      "a storage that is a URL",
      "storage: mysql://u:p@h/d",
      "storage is neither sqlite, nor a URL of Postgres, nor the name of a plugin's storage",
    ],
    [
      "another storage",
      "storage: mine",
      "storage is not sqlite, and there are no plugins that could bring another one",
    ],
    [
      "max_participants 0",
      `${SIP}  max_participants: 0`,
      "sip.max_participants must be a whole number from 1 to 4294967295, not 0",
    ],
    ["no header", `${SIP}  host_headers: []`, "sip.host_headers must be a list with at least one entry"],
    [
      "a header that is none",
      `${SIP}  host_headers: ["X To"]`,
      "sip.host_headers[0] is not the name of a SIP header: 'X To'",
    ],
    [
      "a header with its colon",
      `${SIP}  host_headers: ["To:"]`,
      "sip.host_headers[0] is not the name of a SIP header: 'To:'",
    ],
    ["no matcher", `${SIP}  matchers: []`, "sip.matchers must be a list with at least one entry"],
    ["an empty matcher", `${SIP}  matchers: ['']`, "sip.matchers[0] is not the name of a matcher"],
    [
      "a range that is none",
      `${SIP}  allowed_hook_ranges: [10.0.0.0/33]`,
      "sip.allowed_hook_ranges[0] is not an address or CIDR block: '10.0.0.0/33'",
    ],
    [
      "a reference to nothing",
      `${SIP}  allowed_secret_refs: ["env:"]`,
      "sip.allowed_secret_refs[0] is a reference that names nothing",
    ],
    [
      "a hook host that is none",
      hooks("{host: 'a b', url: https://a.example}"),
      "SIP hook host is not a host: 'a b' (sip.hooks[0].host)",
    ],
    [
      "a wildcard of one label",
      hooks("{host: '*.example', url: https://a.example}"),
      "SIP hook host is not a host: '*.example' (sip.hooks[0].host)",
    ],
    [
      "a hook URL with a password",
      hooks("{host: a, url: 'https://u:p@a.example'}"),
      "SIP hook URL is not valid (sip.hooks[0].url)",
    ],
    [
      "a hook URL with a fragment",
      hooks("{host: a, url: 'https://a.example/#x'}"),
      "SIP hook URL is not valid (sip.hooks[0].url)",
    ],
    ["a hook URL without host", hooks("{host: a, url: 'https://'}"), "SIP hook URL is not valid (sip.hooks[0].url)"],
    [
      "a hook URL with a space",
      hooks("{host: a, url: 'https://a.example/ x'}"),
      "SIP hook URL is not valid (sip.hooks[0].url)",
    ],
    [
      "a hook URL with a backslash",
      hooks("{host: a, url: 'https://a.example\\b'}"),
      "SIP hook URL is not valid (sip.hooks[0].url)",
    ],
    [
      "a hook URL too long",
      hooks(`{host: a, url: 'https://a.example/${"x".repeat(2048)}'}`),
      "sip.hooks[0].url must be an https:// URL of at most 2048 characters",
    ],
    ["a hook without url", hooks("{host: a.example}"), "sip.hooks[0].url is missing"],
    [
      "an empty auth_id",
      hooks("{host: a, url: https://a.example, auth_id: ''}"),
      "sip.hooks[0].auth_id does not look valid",
    ],
    [
      "a tenant host that is none",
      credentials("{id: t, secret: s, role: tenant, hosts: ['a b']}"),
      "auth.api_secrets[0].hosts[0] is not a host: 'a b'",
    ],
    [
      "an unknown role",
      credentials("{id: t, secret: s, role: admin}"),
      "auth.api_secrets[0].role must be operator or tenant",
    ],
    ["a credential without id", credentials("{secret: s}"), "auth.api_secrets[0].id is missing"],
    ["a credential without secret", credentials("{id: t}"), "auth.api_secrets[0].secret is missing"],
    ["an empty credential", credentials("{id: t, secret: ''}"), "auth.api_secrets[0].secret cannot be empty"],
    [
      "a webhook key without secret",
      "livekit: {webhook_keys: [{api_key: k}]}",
      "livekit.webhook_keys[0].api_secret is missing",
    ],
    ["an empty LiveKit secret", "livekit: {api_key: k, api_secret: ''}", "livekit.api_secret cannot be empty"],
    ["a duration without unit", delivery("deadline: '10'"), "sip.delivery.deadline is not a duration: '10'"],
    [
      "a duration as a number",
      delivery("deadline: 10"),
      "sip.delivery.deadline must be a duration such as 10s, not a number",
    ],
    ["a duration of nothing", delivery("schedule: [0s]"), "sip.delivery.schedule[0] is not a duration: '0s'"],
    ["no wait", delivery("schedule: []"), "sip.delivery.schedule must be a list of 1 to 50 entries"],
    [
      "no concurrency",
      delivery("concurrency: 0"),
      "sip.delivery.concurrency must be a whole number from 1 to 200, not 0",
    ],
    [
      "too much concurrency",
      delivery("concurrency: 201"),
      "sip.delivery.concurrency must be a whole number from 1 to 200, not 201",
    ],
    ["no rate", delivery("rate: 0"), "sip.delivery.rate must be a whole number from 1 to 10000, not 0"],
    ["another order", delivery("order: room"), "sip.delivery.order must be call or none"],
    ["no events", delivery("events: []"), "sip.delivery.events must be a list of 1 to 50 entries"],
    [
      "events that no name fits",
      delivery("events: [room_*, participant joined]"),
      "sip.delivery.events[1] is not the name of an event, nor a pattern: 'participant joined'",
    ],
    ["an expiry without time", delivery("expiry: [{events: track_*}]"), "sip.delivery.expiry[0].after is missing"],
    [
      "an unknown key of a hook's own policy",
      hooks("{host: a.b, url: https://a.b, delivery: {retries: 3}}"),
      "Unknown key 'retries' in sip.hooks[0].delivery",
    ],
  ])("%s", (_, yaml, message) => {
    expect(messagesOf(yaml)).toEqual([message]);
  });
});

describe("what values must be to each other", () => {
  test.each<[string, string, string, string]>([
    ["a LiveKit key alone", "livekit: {api_key: k}", "livekit.api_key is set without livekit.api_secret", "1:11"],
    ["a LiveKit secret alone", "livekit: {api_secret: s}", "livekit.api_secret is set without livekit.api_key", "1:11"],
    [
      "authentication without a secret",
      "auth: {required: true}",
      "Authentication is required (AUTH_REQUIRED), but there is no secret",
      "1:8",
    ],
    [
      "an operator with hosts",
      credentials("{id: o, secret: s, hosts: [a.example]}"),
      "An operator's credential cannot be limited to hosts",
      "1:41",
    ],
    [
      "two credentials of one id",
      credentials("{id: o, secret: s}", "{id: o, secret: t}"),
      "Two entries of auth.api_secrets have the id 'o'",
      "1:43",
    ],
    [
      "two credentials of one secret",
      credentials("{id: o, secret: s}", "{id: p, secret: s}"),
      "Two entries of auth.api_secrets have the same secret",
      "1:50",
    ],
    ["a header twice", `${SIP}  host_headers: [To, X-To-IP, to]\n`, "sip.host_headers names 'to' twice", "4:31"],
    [
      "a matcher twice",
      `${SIP}  matchers: [exact-host, exact-host]\n`,
      "sip.matchers names 'exact-host' twice",
      "4:26",
    ],
    [
      "a deadline above max_age",
      delivery("schedule: [1s], deadline: 10s, max_age: 5s"),
      "sip.delivery.deadline (10s) is longer than 5s",
      "4:30",
    ],
    [
      "a deadline that is no deadline",
      delivery("deadline: 6m"),
      "sip.delivery.deadline (6m) is longer than 5m",
      "4:14",
    ],
    [
      "waits beyond max_age",
      delivery("schedule: [30m, 31m], max_age: 1h"),
      "The waits of sip.delivery.schedule (61m) exceed max_age (1h)",
      "4:14",
    ],
    [
      "an expiry beyond max_age",
      delivery("max_age: 1h, expiry: [{events: a, after: 1h}, {events: '*', after: 2h}]"),
      "sip.delivery.expiry[1].after (2h) is longer than max_age (1h)",
      "4:74",
    ],
    [
      "a hook's own max_age below the waits for all",
      hooks("{host: a.b, url: https://a.b, delivery: {rate: 1, max_age: 5m}}"),
      "The waits of sip.hooks[0].delivery.schedule (381s) exceed max_age (5m)",
      "4:61",
    ],
    [
      "a hook's own deadline above its max_age",
      hooks("{host: a.b, url: https://a.b, delivery: {deadline: 11s, max_age: 10s, schedule: [1s]}}"),
      "sip.hooks[0].delivery.deadline (11s) is longer than 10s",
      "4:52",
    ],
    [
      "a hook's own expiry beyond max_age",
      hooks("{host: a.b, url: https://a.b, delivery: {expiry: [{events: '*', after: 2d}]}}"),
      "sip.hooks[0].delivery.expiry[0].after (2d) is longer than max_age (1d)",
      "4:75",
    ],
  ])("%s is a problem", (_, yaml, message, source) => {
    expect(problemsOf(yaml)).toEqual([{ message, source, hint: expect.stringMatching(/\w/) }]);
  });

  test.each([
    ["an operator with no hosts", credentials("{id: o, secret: s, hosts: []}")],
    ["a tenant without hosts", credentials("{id: t, secret: s, role: tenant}")],
    ["a matcher of a plugin", `${SIP}  matchers: [my-matcher, exact-host]\n`],
    [
      "an expiry for all beyond a hook's own max_age",
      `${SIP}  delivery: {expiry: [{events: a, after: 2h}]}\n  hooks: [{host: a.b, url: https://a.b, delivery: {max_age: 1h}}]\n`,
    ],
    ["waits that end at max_age", delivery("schedule: [30m, 30m], max_age: 1h")],
    ["a wildcard beside its host", hooks("{host: a.b.c, url: https://a.b}", "{host: '*.b.c', url: https://a.b}")],
    ["keys of several projects", "livekit: {webhook_keys: [{api_key: k, api_secret: s}]}"],
  ])("%s is none", (_, yaml) => {
    expect(() => load(yaml)).not.toThrow();
  });

  test("a half from the file and a half from a variable are a pair", () => {
    const { livekit } = load("livekit: {api_key: k}", { LIVEKIT_API_SECRET: "s" });
    expect([livekit.api_key, livekit.api_secret?.reveal()]).toEqual(["k", "s"]);
  });

  test("a lonely variable is named as the source", () => {
    expect(problemsOf("data_dir: x", { LIVEKIT_API_KEY: "k" })[0]?.source).toBe("LIVEKIT_API_KEY");
    expect(problemsOf("", { AUTH_REQUIRED: "true" })[0]?.source).toBe("AUTH_REQUIRED");
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
