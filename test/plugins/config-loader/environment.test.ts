import { describe, expect, test } from "bun:test";
import { ConfigError, loadConfig, type Config } from "../../../plugins/config-loader";
import { VARIABLE_NAMES } from "../../../plugins/config-loader/variables";
import { load, messagesOf, problemsOf, SIP } from "./load-text";

const SIP_ENV = { SIP_ROOM_PREFIX: "sip-", SIP_ALLOWED_ADDRESSES: "10.0.0.1" };

const YAML = `
server: {host: 10.0.0.1, port: 1000, management: {host: 10.0.0.2, port: 2000}}
data_dir: /from/file
retention: {delivered: 1d, dead: 2d, unmatched: 3d, max_size: 100MiB}
livekit:
  url: wss://file.example
  api_key: file-key
  api_secret: file-secret
  webhook_keys: [{api_key: one, api_secret: first}, {api_key: two, api_secret: second}]
auth: {required: true, api_secrets: [{id: file, secret: file-token}]}
sip:
  room_prefix: file-
  allowed_addresses: [10.0.0.1, 10.0.0.2]
  max_participants: 9
  provision: true
  set_room_owner: true
  host_headers: [X-File, To]
  hook_secret: file-hook-secret
  hooks: [{host: file.example, url: https://file.example/}]
  allowed_hook_ranges: [10.0.0.0/8, 10.1.0.0/16]
  allowed_secret_refs: [env:FILE, file:/x]
`;

describe("a variable replaces the file's value whole", () => {
  type Read = (config: Config) => unknown;
  test.each<[string, string, Read, unknown, unknown]>([
    ["HOST", "0.0.0.0", ({ server }) => server.host, "10.0.0.1", "0.0.0.0"],
    ["PORT", " 0 ", ({ server }) => server.port, 1000, 0],
    ["MANAGEMENT_HOST", "::1", ({ server }) => server.management?.host, "10.0.0.2", "::1"],
    ["MANAGEMENT_PORT", "7", ({ server }) => server.management?.port, 2000, 7],
    ["DATA_DIR", "/d", ({ data_dir }) => data_dir, "/from/file", "/d"],
    ["LIVEKIT_URL", "http://l:7880", ({ livekit }) => livekit.url, "wss://file.example", "http://l:7880"],
    ["LIVEKIT_API_KEY", "k", ({ livekit }) => livekit.api_key, "file-key", "k"],
    ["LIVEKIT_API_SECRET", "s", ({ livekit }) => livekit.api_secret?.reveal(), "file-secret", "s"],
    [
      "LIVEKIT_WEBHOOK_KEYS_JSON",
      '[{"api_key":"e","api_secret":"env-secret"}]',
      ({ livekit }) => livekit.webhook_keys.map((key) => `${key.api_key} ${key.api_secret.reveal()}`),
      ["one first", "two second"],
      ["e env-secret"],
    ],
    ["AUTH_REQUIRED", "false", ({ auth }) => auth.required, true, false],
    [
      "AUTH_API_SECRETS_JSON",
      '[{"id":"t","secret":"env-token","role":"tenant","hosts":["*.A.example"]}]',
      ({ auth }) =>
        auth.api_secrets.map(({ id, role, secret, hosts }) => [id, role, secret.reveal(), ...hosts].join(" ")),
      ["file operator file-token"],
      ["t tenant env-token *.a.example"],
    ],
    [
      "AUTH_API_SECRET",
      "env-token",
      ({ auth }) => auth.api_secrets.map(({ id, role, secret }) => `${id} ${role} ${secret.reveal()}`),
      ["file operator file-token"],
      ["default operator env-token"],
    ],
    ["RETENTION_DELIVERED", "2h", ({ retention }) => retention.delivered, 86_400_000, 7_200_000],
    ["RETENTION_DEAD", "3h", ({ retention }) => retention.dead, 172_800_000, 10_800_000],
    ["RETENTION_UNMATCHED", "4h", ({ retention }) => retention.unmatched, 259_200_000, 14_400_000],
    ["RETENTION_MAX_SIZE", "1GiB", ({ retention }) => retention.max_size, 104_857_600, 1_073_741_824],
    ["SIP_ROOM_PREFIX", "e-", ({ sip }) => sip?.room_prefix, "file-", "e-"],
    ["SIP_ALLOWED_ADDRESSES", "::1", ({ sip }) => sip?.allowed_addresses, ["10.0.0.1", "10.0.0.2"], ["::1"]],
    ["SIP_MAX_PARTICIPANTS", "4", ({ sip }) => sip?.max_participants, 9, 4],
    ["SIP_PROVISION", "FALSE", ({ sip }) => sip?.provision, true, false],
    ["SIP_SET_ROOM_OWNER", "0", ({ sip }) => sip?.set_room_owner, true, false],
    ["SIP_HOST_HEADERS", "X-To-IP, To", ({ sip }) => sip?.host_headers, ["X-File", "To"], ["X-To-IP", "To"]],
    ["SIP_HOOK_SECRET", "file:/run/s", ({ sip }) => sip?.hook_secret?.kind, "literal", "file"],
    [
      "SIP_HOOKS_JSON",
      '[{"host":"E.example","url":"https://e.example/","auth_id":"e"}]',
      ({ sip }) => sip?.hooks.map(({ host, url, auth_id }) => `${host} ${url} ${auth_id}`),
      ["file.example https://file.example/ undefined"],
      ["e.example https://e.example/ e"],
    ],
    [
      "SIP_ALLOWED_HOOK_RANGES",
      "fd00::/8",
      ({ sip }) => sip?.allowed_hook_ranges.map((range) => range.text),
      ["10.0.0.0/8", "10.1.0.0/16"],
      ["fd00::/8"],
    ],
    ["SIP_ALLOWED_SECRET_REFS", "env:E", ({ sip }) => sip?.allowed_secret_refs, ["env:FILE", "file:/x"], ["env:E"]],
  ])("%s", (name, value, read, fromFile, fromEnv) => {
    expect(read(load(YAML))).toEqual(fromFile);
    expect(read(load(YAML, { [name]: value }))).toEqual(fromEnv);
  });

  test("AUTH_API_SECRET_ID names the single secret", () => {
    const { auth } = load(YAML, { AUTH_API_SECRET: "env-token", AUTH_API_SECRET_ID: "ops" });
    expect(auth.api_secrets.map(({ id }) => id)).toEqual(["ops"]);
  });

  test("a wrong value of the file does not count once a variable replaces it", () => {
    expect(
      load("server: {port: wrong}\nsip: {hooks: 5}\n", { ...SIP_ENV, PORT: "1", SIP_HOOKS_JSON: "[]" }).server.port,
    ).toBe(1);
  });

  test("and its problems name the variable, not the file", () => {
    const env = { SIP_ROOM_PREFIX: "a b", SIP_HOOKS_JSON: '[{"host":"a.example","url":"http://a"}]', PORT: "x" };
    expect(problemsOf(YAML, env).map(({ source }) => source)).toEqual(["PORT", "SIP_HOOKS_JSON", "SIP_ROOM_PREFIX"]);
  });

  test("without a file the environment alone counts, and no file is looked for", () => {
    expect(loadConfig({ env: SIP_ENV }).sip?.room_prefix).toBe("sip-");
  });

  test("without options the process's own environment is read", () => {
    const before = process.env["DATA_DIR"];
    process.env["DATA_DIR"] = "/from/process";
    try {
      expect(loadConfig().data_dir).toBe("/from/process");
    } finally {
      if (before === undefined) delete process.env["DATA_DIR"];
      else process.env["DATA_DIR"] = before;
    }
  });
});

describe("booleans", () => {
  test.each([
    ["true", true],
    ["TRUE", true],
    [" True ", true],
    ["1", true],
    ["false", false],
    ["False", false],
    ["0", false],
  ])("SIP_PROVISION=%s", (text, value) => {
    expect(loadConfig({ env: { ...SIP_ENV, SIP_PROVISION: text } }).sip?.provision).toBe(value);
  });

  test.each(["yes", "no", "on", "2", "tru", "false,"])("SIP_PROVISION=%s is a problem", (text) => {
    expect(problemsOf("", { ...SIP_ENV, SIP_PROVISION: text })).toEqual([
      {
        message: "sip.provision must be true or false, not a string",
        source: "SIP_PROVISION",
        hint: "Write true or false, without quotes; a variable may also say 1 or 0.",
      },
    ]);
  });
});

describe("an empty variable counts as not set", () => {
  const EMPTY = VARIABLE_NAMES.filter((name) => name !== "SIP_ROOM_PREFIX" && name !== "AUTH_REQUIRED");

  test("all of them at once change nothing, and do not switch SIP on", () => {
    const env = Object.fromEntries(EMPTY.map((name) => [name, ""]));
    expect(loadConfig({ env })).toEqual(loadConfig({ env: {} }));
    expect(load(YAML, env)).toEqual(load(YAML));
  });

  test("but not AUTH_REQUIRED, whose emptiness would switch authentication off", () => {
    expect(problemsOf("", { AUTH_REQUIRED: "" })).toEqual([
      {
        message: "auth.required must be true or false, not an empty string",
        source: "AUTH_REQUIRED",
        hint: "Give it a value, or remove it.",
      },
    ]);
  });

  test("nor SIP_ROOM_PREFIX, whose emptiness would switch SIP off", () => {
    expect(messagesOf("", { SIP_ROOM_PREFIX: "" })).toContain("SIP room_prefix cannot be empty");
  });

  test.each([
    [{ AUTH_REQUIRED: "true", AUTH_API_SECRET: "" }, "AUTH_REQUIRED"],
    [{ LIVEKIT_API_KEY: "key", LIVEKIT_API_SECRET: "" }, "LIVEKIT_API_KEY"],
    [{ LIVEKIT_API_KEY: "", LIVEKIT_API_SECRET: "secret" }, "LIVEKIT_API_SECRET"],
  ])("which is said where one of them is missed: %j", (env, source) => {
    expect(problemsOf("", env)).toMatchObject([
      { source, hint: expect.stringMatching(/an empty variable counts as not set\.$/) },
    ]);
  });

  test.each([
    ["PORT", "server.port must be a whole number from 0 to 65535, not an empty string"],
    ["AUTH_REQUIRED", "auth.required must be true or false, not an empty string"],
    ["SIP_PROVISION", "sip.provision must be true or false, not an empty string"],
  ])("white space is no value either: %s", (name, message) => {
    expect(messagesOf(SIP, { [name]: " " })).toEqual([message]);
  });

  test("a list of the file is emptied by a comma", () => {
    expect(load(YAML, { SIP_ALLOWED_SECRET_REFS: "," }).sip?.allowed_secret_refs).toEqual([]);
  });
});

describe("the API's secret by variables", () => {
  test("the single one and the list together are a problem", () => {
    const env = { AUTH_API_SECRET: "a", AUTH_API_SECRETS_JSON: "[]" };
    expect(messagesOf("", env)).toEqual(["AUTH_API_SECRET and AUTH_API_SECRETS_JSON are both set"]);
  });

  test("an id without a secret is a problem", () => {
    expect(messagesOf("", { AUTH_API_SECRET_ID: "ops" })).toEqual([
      "AUTH_API_SECRET_ID is set without AUTH_API_SECRET",
    ]);
  });

  test("a wrong id names its own variable", () => {
    expect(problemsOf("", { AUTH_API_SECRET: "a", AUTH_API_SECRET_ID: " " })).toEqual([
      expect.objectContaining({ source: "AUTH_API_SECRET_ID" }),
    ]);
  });
});

describe("malformed JSON says where", () => {
  test.each([
    ['[{"host":"a.example" "url":"https://a.example"}]', "line 1, column 22"],
    ['[\n  {"host": "a.example",\n   "url: "https://a.example"}\n]', "line 3, column 11"],
    ["[{'host':1}]", "line 1, column 3"],
    ["[", "line 1, column 2"],
    ["[1,]", "line 1, column 4"],
    ["[] x", "line 1, column 4"],
    ["nonsense", "line 1, column 1"],
  ])("%j", (text, place) => {
    expect(problemsOf(SIP, { SIP_HOOKS_JSON: text })).toEqual([
      { message: `SIP_HOOKS_JSON is not valid JSON at ${place}`, source: "SIP_HOOKS_JSON", hint: expect.any(String) },
    ]);
  });

  test.each([
    ["null", "sip.hooks must be a list, not nothing"],
    ["{}", "sip.hooks must be a list, not a mapping"],
    ["[1]", "sip.hooks[0] must be a mapping, not a number"],
    ['[{"host":"a.example"}]', "sip.hooks[0].url is missing"],
    ['[{"host":"a.example","url":"https://a.example","hots":1}]', "Unknown key 'hots' in sip.hooks[0]"],
  ])("JSON of another shape: %s", (text, message) => {
    expect(messagesOf(SIP, { SIP_HOOKS_JSON: text })).toEqual([message]);
  });
});

describe("a variable that was meant to be one of ours", () => {
  test.each([
    ["SIP_ROOM_PREFX", "SIP_ROOM_PREFIX"],
    ["SIP_ROMO_PREFIX", "SIP_ROOM_PREFIX"],
    ["sip_room_prefix", "SIP_ROOM_PREFIX"],
    ["SIP_ALLOWED_ADDRESS", "SIP_ALLOWED_ADDRESSES"],
    ["SIP_HOOKS", "SIP_HOOKS_JSON"],
    ["AUTH_REQUIERD", "AUTH_REQUIRED"],
    ["AUTH_API_SECRETS", "AUTH_API_SECRETS_JSON"],
    ["LIVEKIT_API_SECRETS", "LIVEKIT_API_SECRET"],
    ["LIVEKIT_WEBHOOK_KEYS", "LIVEKIT_WEBHOOK_KEYS_JSON"],
  ])("%s is a problem that names %s", (name, meant) => {
    expect(problemsOf("", { [name]: "x" })).toEqual([
      { message: `${name} is not a known variable`, source: name, hint: `Did you mean ${meant}? Else rename it.` },
    ]);
  });

  test("is none when the right one is set as well", () => {
    expect(loadConfig({ env: { ...SIP_ENV, SIP_ROOM_PREFIX_: "x" } }).sip?.room_prefix).toBe("sip-");
  });

  test.each([
    "LIVEKIT_KEYS",
    "LIVEKIT_CONFIG",
    "LIVEKIT_SERVICE_HOST",
    "LIVEKIT_PORT",
    "SIP_PORT",
    "SIP_SERVICE_PORT",
    "SIP_PORT_5060_UDP",
    "SIP_DOMAIN",
    "AUTH_SECRET",
    "AUTH_URL",
    "AUTH_TRUST_HOST",
    "HOSTNAME",
    "PORTS",
    "XSIP_ROOM_PREFX",
  ])("%s is a foreign one, and left alone", (name) => {
    expect(loadConfig({ env: { [name]: "x" } })).toEqual(loadConfig({ env: {} }));
  });
});

test("STORAGE_URL is refused without repeating the password in it", () => {
  const env = { STORAGE_URL: "mysql://me:hunter2@db/sayna" };
  expect(problemsOf("", env)).toEqual([
    {
      message: "storage is neither sqlite, nor a URL of Postgres, nor the name of a plugin's storage",
      source: "STORAGE_URL",
      hint: expect.stringContaining("postgres://user:password@host:port/database"),
    },
  ]);
  expect(() => loadConfig({ env })).toThrow(ConfigError);
});

test("STORAGE_URL names a Postgres", () => {
  const { storage } = loadConfig({ env: { STORAGE_URL: "postgres://me:hunter2@db:5433/sayna?sslmode=require" } });
  expect(typeof storage === "string" ? storage : storage.postgres.reveal()).toBe(
    "postgres://me:hunter2@db:5433/sayna?sslmode=require",
  );
});
