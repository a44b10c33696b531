import { describe, expect, test } from "bun:test";
import { startupNotes } from "../../../plugins/config-loader";
import { failure, load, messagesOf, problemsOf, SIP } from "./load-text";

const WHSEC = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
const WHSK = `whsk_${Buffer.alloc(32, 7).toString("base64")}`;
const UNTIL = "2030-01-31T12:00:00Z";
const hook = (rest: string): string => `${SIP}  hooks: [{host: a.example, url: https://a.example, ${rest}}]\n`;
const revealed = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, v: unknown) => (isLiteral(v) ? v.value.reveal() : v)));
const isLiteral = (value: unknown): value is { value: { reveal(): string } } =>
  typeof value === "object" && value !== null && "kind" in value && value.kind === "literal";

describe("a secret that is being replaced", () => {
  test("is read from the file", () => {
    const { sip } = load(
      `${SIP}  hook_secret: ${WHSEC}\n  previous_hook_secret: {secret: "file:/old", until: "${UNTIL}"}\n` +
        `  signing_key: ${WHSK}\n  previous_signing_key: {key: "file:/key", until: "2030-01-31T13:00:00+01:00"}\n`,
    );
    const until = Date.parse(UNTIL);
    expect(sip?.previous_hook_secret).toEqual({ secret: { kind: "file", path: "/old" }, until });
    expect(sip?.previous_signing_key).toEqual({ key: { kind: "file", path: "/key" }, until });
  });

  test("is read from variables, over the file", () => {
    const { sip } = load(`${SIP}  hook_secret: ${WHSEC}\n  previous_hook_secret: {secret: x, until: "${UNTIL}"}\n`, {
      SIP_PREVIOUS_HOOK_SECRET: "file:/old",
      SIP_SIGNING_KEY: WHSK,
      SIP_PREVIOUS_SIGNING_KEY: "file:/key",
      SIP_PREVIOUS_SIGNING_KEY_UNTIL: UNTIL,
    });
    expect(sip?.previous_hook_secret).toEqual({ secret: { kind: "file", path: "/old" }, until: Date.parse(UNTIL) });
    expect(sip?.previous_signing_key?.until).toBe(Date.parse(UNTIL));
  });

  test("of a hook is read", () => {
    const { sip } = load(hook(`secret: ${WHSEC}, previous_secret: {secret: "file:/old", until: "${UNTIL}"}`));
    expect(sip?.hooks[0]?.previous_secret).toEqual({
      secret: { kind: "file", path: "/old" },
      until: Date.parse(UNTIL),
    });
  });

  test.each<[string, string, Record<string, string>, string]>([
    [
      "without an end",
      `${SIP}  hook_secret: x\n  previous_hook_secret: {secret: y}\n`,
      {},
      "sip.previous_hook_secret.until is missing",
    ],
    [
      "without the old one",
      `${SIP}  hook_secret: x\n`,
      { SIP_PREVIOUS_HOOK_SECRET_UNTIL: UNTIL },
      "sip.previous_hook_secret.secret is missing",
    ],
    [
      "with an end that is no time",
      `${SIP}  hook_secret: x\n  previous_hook_secret: {secret: y, until: tomorrow}\n`,
      {},
      "sip.previous_hook_secret.until is not a time: 'tomorrow'",
    ],
    [
      "without the new one",
      `${SIP}  previous_hook_secret: {secret: y, until: "${UNTIL}"}\n`,
      {},
      "sip.previous_hook_secret is set without sip.hook_secret",
    ],
    [
      "without the new key",
      `${SIP}  previous_signing_key: {key: ${WHSK}, until: "${UNTIL}"}\n`,
      {},
      "sip.previous_signing_key is set without sip.signing_key",
    ],
    [
      "of a hook that has no other",
      hook(`previous_secret: {secret: y, until: "${UNTIL}"}`),
      {},
      "sip.hooks[0].previous_secret is set, but there is no secret that replaces it",
    ],
    [
      "in a variable that is not set",
      `${SIP}  hook_secret: x\n  previous_hook_secret: {secret: "env:OLD", until: "${UNTIL}"}\n`,
      {},
      "sip.previous_hook_secret.secret refers to the variable 'OLD', which is not set",
    ],
  ])("is a problem %s", (_, yaml, env, message) => {
    expect(messagesOf(yaml, env)).toEqual([message]);
  });

  test("is of use only when it makes another signature than Sayna's: else the start says that it signs nothing", () => {
    const warnings = (old: string) =>
      startupNotes(load(`${SIP}  hook_secret: ${WHSEC}\n  previous_hook_secret: {secret: ${old}, until: "${UNTIL}"}\n`))
        .filter(({ level }) => level === "warn")
        .map(({ message }) => message);
    expect(warnings("plain")).toEqual([expect.stringContaining("sip.previous_hook_secret signs nothing")]);
    expect(warnings(WHSEC)).toEqual([]);
  });
});

describe("a signing key", () => {
  test.each([WHSK, `whsk_${Buffer.alloc(64, 7).toString("base64")}`, "whsk_", WHSEC, "anything", `"${WHSK} "`])(
    "%s",
    (key) => {
      const yaml = `${SIP}  signing_key: ${key}\n`;
      if (key === WHSK) return expect(load(yaml).sip?.signing_key?.kind).toBe("literal");
      expect(messagesOf(yaml)[0]).toStartWith("sip.signing_key is not whsk_ and base64 of an ed25519 seed");
    },
  );

  test("gives secrets without whsec_ a Standard Webhooks signature, so that the start does not complain", () => {
    const said = (rest: string) =>
      startupNotes(load(`${SIP}  hook_secret: plain\n${rest}`)).map(({ message }) => message);
    expect(said("").join()).toContain("carry X-Sayna-Signature only");
    expect(said(`  signing_key: ${WHSK}\n`).join()).not.toContain("carry X-Sayna-Signature only");
  });
});

describe("a hook's credentials", () => {
  test.each([
    ["bearer: file:/token", { bearer: { kind: "file", path: "/token" } }],
    ["bearer: literal-token", { bearer: "literal-token" }],
    ["basic: {username: Jürgen, password: 'two words'}", { basic: { username: "Jürgen", password: "two words" } }],
    ["header: {name: X-Api-Key, value: a key}", { header: { name: "X-Api-Key", value: "a key" } }],
    [
      "client_certificate: {certificate: file:/c, key: file:/k}",
      { client_certificate: { certificate: { kind: "file", path: "/c" }, key: { kind: "file", path: "/k" } } },
    ],
    ["", {}],
  ])("may be %s", (credentials, expected) => {
    expect(revealed(load(hook(`credentials: {${credentials}}`)).sip?.hooks[0]?.credentials)).toEqual(expected);
  });

  test("a certificate may be written below a | sign", () => {
    const lines = ["-----BEGIN CERTIFICATE-----", "MIIB", "-----END CERTIFICATE-----"];
    const yaml =
      `${SIP}  hooks:\n    - host: a.example\n      url: https://a.example\n      credentials:\n` +
      `        client_certificate:\n          key: file:/k\n          certificate: |\n` +
      lines.map((line) => `            ${line}\n`).join("");
    expect(revealed(load(yaml).sip?.hooks[0]?.credentials?.client_certificate?.certificate)).toBe(
      `${lines.join("\n")}\n`,
    );
  });

  test.each([
    ["bearer: ''", "bearer cannot be empty"],
    ["bearer: 'Bearer hunter2'", "bearer has white space or characters outside ASCII, which no bearer token has"],
    ["bearer: 'file:'", "bearer is a reference that names nothing"],
    ["bearer: env:NOT_SET", "bearer refers to the variable 'NOT_SET', which is not set"],
    ["bearer: 5", "bearer must be a value, env:NAME or file:PATH, not a number"],
    ["basic: {username: a}", "basic.password is missing"],
    [
      'basic: {username: a, password: "hunter\\n2"}',
      "basic.password has a line break or control character, which cannot be sent",
    ],
    [
      "header: {name: X-A, value: 'hunter2 '}",
      "header.value has white space at an end, or characters that no HTTP header can carry",
    ],
    ["client_certificate: {certificate: hunter2, key: file:/k}", "client_certificate.certificate is not PEM"],
    [
      "client_certificate: {certificate: file:/c, key: env:NO}",
      "client_certificate.key refers to the variable 'NO', which is not set",
    ],
  ])("may not be %s", (credentials, message) => {
    const error = failure(() => load(hook(`credentials: {${credentials}}`)));
    expect(error.problems.map((problem) => problem.message)).toEqual([`sip.hooks[0].credentials.${message}`]);
    expect(Bun.inspect(error.problems)).not.toContain("hunter");
  });

  test.each([
    ["bearer: a, basic: {username: a, password: b}", "bearer and basic are both the Authorization header: keep one"],
    ["basic: {username: 'a:b', password: b}", "a user name with a colon or a control character cannot be sent"],
    ["header: {name: 'a b', value: b}", "its name is not the name of an HTTP header"],
    [
      "header: {name: Webhook-Id, value: b}",
      "webhook-id is a header that is set here, or that belongs to the connection",
    ],
    ["bearer: a, header: {name: authorization, value: b}", "bearer or basic sets the Authorization header already"],
  ])("may not be %s, which the API says in the same words", (credentials, message) => {
    const [problem, ...more] = problemsOf(hook(`credentials: {${credentials}}`));
    expect(problem?.message).toBe(`SIP hook credentials are not valid: ${message} (sip.hooks[0].credentials)`);
    expect(problem?.source).toStartWith("4:");
    expect(more).toEqual([]);
  });

  test("never show, not even as a key that is not known", () => {
    const error = failure(() => load(hook("credentials: {hunter: x}")));
    expect(Bun.inspect(error.problems)).not.toContain("hunter");
    const config = load(
      hook(
        "secret: hunter-a, previous_secret: {secret: hunter-b, until: '2030-01-31T12:00:00Z'}, credentials: " +
          "{basic: {username: u, password: hunter-c}, header: {name: X-A, value: hunter-d}}",
      ) + `  signing_key: ${WHSK}\n`,
    );
    const dump = JSON.stringify(config) + Bun.inspect(config, { depth: 20 });
    expect(dump).not.toContain("hunter");
    expect(dump).not.toContain(WHSK.slice(5));
  });
});

describe("secret_refs", () => {
  test("are a tenant's", () => {
    const yaml = "auth: {api_secrets: [{id: a, secret: x, role: tenant, secret_refs: [env:A, 'file:/a']}]}";
    expect(load(yaml).auth.api_secrets[0]?.secret_refs).toEqual(["env:A", "file:/a"]);
  });

  test.each([
    ["role: operator, secret_refs: [env:A]", "An operator's credential has no secret_refs of its own"],
    ["role: tenant, secret_refs: [hunter2]", "auth.api_secrets[0].secret_refs[0] is not a reference to a secret"],
  ])("%s is a problem", (rest, message) => {
    expect(messagesOf(`auth: {api_secrets: [{id: a, secret: x, ${rest}}]}`)).toEqual([message]);
  });
});
