import { describe, expect, test } from "bun:test";
import { inspect } from "node:util";
import { join } from "node:path";
import { loadConfig } from "../../../plugins/config-loader";
import { failure, load, messagesOf, SIP, withFile } from "./load-text";

const WHSEC = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;

const dumps = (value: unknown): string =>
  [
    JSON.stringify(value),
    Bun.inspect(value, { depth: 20 }),
    inspect(value, { depth: 20, showHidden: true }),
    String(value),
  ].join("\n");

describe("a secret never shows in a dump of the configuration", () => {
  const SECRETS = ["database-hidden", "livekit-hidden", "webhook-hidden", "token-hidden", WHSEC, "hook-hidden"];
  const YAML = `
storage: postgres://u:database-hidden@db/sayna
livekit: {api_key: k, api_secret: livekit-hidden, webhook_keys: [{api_key: w, api_secret: webhook-hidden}]}
auth: {api_secrets: [{id: a, secret: token-hidden}]}
${SIP}  hook_secret: ${WHSEC}
  hooks: [{host: a.example, url: https://a.example, secret: hook-hidden}]
`;

  test("whatever dumps it", () => {
    const config = load(YAML);
    const text = dumps(config);
    expect(text).toContain("[secret]");
    for (const secret of SECRETS) expect(text).not.toContain(secret);
  });

  test("but it is there for those who use it", () => {
    const { storage, livekit, auth, sip } = load(YAML);
    const hookSecret = sip?.hooks[0]?.secret;
    expect([
      typeof storage === "string" ? undefined : new URL(storage.postgres.reveal()).password,
      livekit.api_secret?.reveal(),
      livekit.webhook_keys[0]?.api_secret.reveal(),
      auth.api_secrets[0]?.secret.reveal(),
      sip?.hook_secret?.kind === "literal" ? sip.hook_secret.value.reveal() : undefined,
      hookSecret?.kind === "literal" ? hookSecret.value.reveal() : undefined,
    ]).toEqual(SECRETS);
  });
});

describe("a secret never shows in an error", () => {
  const HIDDEN = "hunter2";

  test.each<[string, string, Record<string, string>]>([
    ["white space in a token", `auth: {api_secrets: [{id: a, secret: "${HIDDEN} x"}]}`, {}],
    ["white space after LiveKit's secret", `livekit: {api_key: k, api_secret: "${HIDDEN} "}`, {}],
    ["a whsec_ secret that is none", `${SIP}  hook_secret: whsec_${HIDDEN}`, {}],
    ["the same token twice", `auth: {api_secrets: [{id: a, secret: ${HIDDEN}}, {id: b, secret: ${HIDDEN}}]}`, {}],
    ["a secret alone", `livekit: {api_secret: ${HIDDEN}}`, {}],
    ["a secret that is a list", `livekit: {api_key: k, api_secret: [${HIDDEN}]}`, {}],
    ["a secret that is a key", `auth: {api_secrets: [{${HIDDEN}: operator}]}`, {}],
    ["a secret that is a key of letters", "auth: {api_secrets: [{hunter: operator}]}", {}],
    ["a secret in the place of a list", `auth: {api_secrets: ${HIDDEN}}`, {}],
    ["a secret in the place of a role", `auth: {api_secrets: [{id: a, secret: b, role: ${HIDDEN}}]}`, {}],
    ["a colon without space", `livekit:\n  api_secret:${HIDDEN}\n`, {}],
    ["a colon without space below a value", `livekit:\n  api_key: k\n    api_secret:${HIDDEN}\n`, {}],
    ["a colon without space below the prefix", `sip:\n  room_prefix: sip-\n    hook_secret:${HIDDEN}\n`, {}],
    ["a colon without space below the directory", `data_dir: a\n  hook_secret:${HIDDEN}\n`, {}],
    ["a missing quote", `livekit:\n  api_secret: "${HIDDEN}\n  api_key: k\n`, {}],
    ["text after a quote", `livekit: {api_secret: "a" ${HIDDEN}}`, {}],
    ["a secret that begins as an alias", `livekit: {api_key: k, api_secret: *${HIDDEN}}`, {}],
    ["a secret that begins as a tag", `livekit: {api_key: k, api_secret: !${HIDDEN} x}`, {}],
    ["a secret that begins as an anchor", `livekit: {api_key: k, api_secret: "a" &${HIDDEN}}`, {}],
    ["a secret with an escape", `livekit: {api_key: k, api_secret: "\\${HIDDEN}"}`, {}],
    ["a secret after a block mark", `livekit:\n  api_key: k\n  api_secret: | ${HIDDEN}\n`, {}],
    ["a secret as a directive", `%${HIDDEN}\n---\ndata_dir: a\n`, {}],
    ["the secret itself in allowed_secret_refs", `${SIP}  allowed_secret_refs: [${HIDDEN}]`, {}],
    [
      "a token in a hook's url",
      `${SIP}  hooks: [{host: a, url: http://x/${HIDDEN}}, {host: b, url: https://u:${HIDDEN}@x}]`,
      {},
    ],
    ["a password in LiveKit's url", `livekit: {url: "wss://u:${HIDDEN}@x"}`, {}],
    ["a password in the storage", `storage: mysql://u:${HIDDEN}@x`, {}],
    ["a password in a broken url of the storage", `storage: "postgres://u:${HIDDEN} x@y"`, {}],
    ["malformed JSON", "", { AUTH_API_SECRETS_JSON: `[{"id":"a","secret":"${HIDDEN}]` }],
    ["JSON without quotes", "", { SIP_HOOKS_JSON: `[{host:a,secret:${HIDDEN}}]`, SIP_ROOM_PREFIX: "a" }],
    ["JSON of another shape", "", { AUTH_API_SECRETS_JSON: `{"ops":"${HIDDEN}"}` }],
    ["JSON turned round", "", { AUTH_API_SECRETS_JSON: `[{"${HIDDEN}":"ops"}]` }],
    ["JSON that is a string", "", { LIVEKIT_WEBHOOK_KEYS_JSON: `"k:${HIDDEN}"` }],
    ["a boolean that is a secret", "", { AUTH_REQUIRED: HIDDEN }],
    ["a number that is a secret", "", { PORT: HIDDEN }],
    ["a misspelt variable", "", { AUTH_API_SECRT: HIDDEN }],
    ["a variable with a line break", "", { LIVEKIT_API_KEY: "k", LIVEKIT_API_SECRET: `${HIDDEN}\n` }],
    ["both variables", "", { AUTH_API_SECRET: HIDDEN, AUTH_API_SECRETS_JSON: `["${HIDDEN}"]` }],
    ["a secret behind a reference", "livekit: {api_key: k, api_secret: env:X}", { X: ` ${HIDDEN}` }],
  ])("%s", (_, yaml, env) => {
    const error = failure(() => load(yaml, env));
    // Not the error as a whole: Bun.inspect shows the lines of this file that are in its stack.
    const text = [error.message, dumps(error.problems)].join("\n");
    expect(error.problems.length).toBeGreaterThan(0);
    expect(text).not.toContain("hunter");
  });

  test("the error carries no cause", () => {
    expect(failure(() => load("data_dri: x")).cause).toBeUndefined();
  });
});

describe("references", () => {
  const SECRETS = "livekit: {api_key: k, api_secret: env:LK}\nauth: {api_secrets: [{id: a, secret: env:TOKEN}]}\n";

  test("LiveKit's and the API's secrets are read at start, from variables", () => {
    const { livekit, auth } = load(SECRETS, { LK: "one", TOKEN: "two" });
    expect([livekit.api_secret?.reveal(), auth.api_secrets[0]?.secret.reveal()]).toEqual(["one", "two"]);
  });

  test("and from files, without the line break at their end", () => {
    withFile("from-file\n", (file) => {
      const env = { LIVEKIT_WEBHOOK_KEYS_JSON: JSON.stringify([{ api_key: "k", api_secret: `file:${file}` }]) };
      expect(loadConfig({ env }).livekit.webhook_keys[0]?.api_secret.reveal()).toBe("from-file");
      expect(loadConfig({ env: { AUTH_API_SECRET: `file:${file}` } }).auth.api_secrets[0]?.secret.reveal()).toBe(
        "from-file",
      );
    });
  });

  test("a variable that is missing or empty, or a file that cannot be read, is a problem", () => {
    expect(messagesOf(SECRETS, { TOKEN: "" })).toEqual([
      "livekit.api_secret refers to the variable 'LK', which is not set",
      "auth.api_secrets[0].secret refers to the variable 'TOKEN', which is not set",
    ]);
    const path = join(import.meta.dir, "no-such-file");
    expect(messagesOf(`livekit: {api_key: k, api_secret: "file:${path}"}`)[0]).toEndWith(
      "which cannot be read: there is no such file",
    );
  });

  test("a hook's references stay references", () => {
    const yaml = `${SIP}  hook_secret: env:HOOKS\n  hooks: [{host: a.example, url: https://a.example, secret: "file:/not/yet"}]\n`;
    const { sip } = load(yaml, { HOOKS: "x" });
    expect([sip?.hook_secret, sip?.hooks[0]?.secret]).toEqual([
      { kind: "env", name: "HOOKS" },
      { kind: "file", path: "/not/yet" },
    ]);
  });

  test("a hook's variable that is not set can never come: a problem at once", () => {
    expect(messagesOf(`${SIP}  hook_secret: env:HOOKS\n`)).toEqual([
      "sip.hook_secret refers to the variable 'HOOKS', which is not set",
    ]);
    expect(messagesOf(`${SIP}  hooks: [{host: a.example, url: https://a.example, secret: env:A}]\n`)).toEqual([
      "sip.hooks[0].secret refers to the variable 'A', which is not set",
    ]);
  });

  test.each(["env:", "file:", '"file: "', '"env:A B"'])("%s names nothing", (text) => {
    expect(messagesOf(`${SIP}  hook_secret: ${text}\n`)).toHaveLength(1);
  });
});

describe("a hook's secret", () => {
  test.each([WHSEC, "anything", "with space inside", "ünïcode"])("may be %s", (secret) => {
    expect(load(`${SIP}  hook_secret: "${secret}"\n`).sip?.hook_secret?.kind).toBe("literal");
  });

  test.each([
    ["", "sip.hook_secret cannot be empty"],
    [" x", "sip.hook_secret begins or ends with white space"],
    ["whsec_", "sip.hook_secret begins with whsec_, but what follows is not base64 of 24 to 64 bytes"],
    ["whsec_short", "sip.hook_secret begins with whsec_, but what follows is not base64 of 24 to 64 bytes"],
  ])("may not be '%s'", (secret, message) => {
    expect(messagesOf(`${SIP}  hook_secret: "${secret}"\n`)).toEqual([message]);
  });
});
