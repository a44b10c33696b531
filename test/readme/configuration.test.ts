import { describe, expect, test } from "bun:test";
import { loadConfig } from "../../plugins/config-loader";
import { CredentialsSchema } from "../../plugins/config-loader/credentials-schema";
import { VARIABLE_NAMES } from "../../plugins/config-loader/variables";
import { builtInMatchers } from "../../plugins/webhook-forwarder/matchers";
import { policyExcess } from "../../src/domain/check-policy";
import { parseSigningKey } from "../../src/domain/signatures";
import { load } from "../plugins/config-loader/load-text";
import { configTable } from "./config-table";
import { codeBlock, quoted, README, section, tableRows } from "./readme";

describe("the table of settings", () => {
  test("has every setting with its variable, default and description, and no other", () => {
    const rows: readonly (readonly string[])[] = tableRows(section("Configuration")).filter(
      (cells) => cells.length === 4,
    );
    expect(rows).toEqual(configTable());
  });

  test("and the text around it name every variable", () => {
    const text = section("Configuration");
    expect(VARIABLE_NAMES.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });
});

describe("the configurations that it shows load as they stand", () => {
  /** The secrets are files of the reader's machine. */
  const withoutFiles = (yaml: string): string => yaml.replaceAll(/file:\/etc\/sayna-sip\/([\w-]+)/g, "env:$1");
  const pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
  const signingKey = `whsk_${Buffer.alloc(32, 7).toString("base64")}`;
  const secrets = {
    "livekit-secret": "a",
    "ops-token": "b",
    "tenant-a-token": "c",
    "tenant-a-hook-secret": "d",
    "hook-secret": "e",
    "hook-secret-old": "f",
    "signing-key": signingKey,
    "signing-key-old": signingKey,
    "tenant-a-bearer": "g",
    TENANT_A_KEY: "h",
    "tenant-b-password": "i",
    "client-certificate": pem,
    "client-key": pem,
  };
  const sipOf = (name: string) => load(withoutFiles(codeBlock(name)), secrets).sip;

  test("the set-up's, in which the API asks for a credential", () => {
    const config = load(withoutFiles(codeBlock("sayna-sip.yaml")), secrets);
    expect(config.auth).toMatchObject({ required: true, api_secrets: [{ id: "ops", role: "operator" }] });
    expect(config.sip?.room_prefix).toBe("sip-");
  });

  test("the one with a tenant's credential", () => {
    const config = load(withoutFiles(codeBlock("roles")), secrets);
    expect(config.auth.api_secrets.map(({ id, role }) => `${id} ${role}`)).toEqual(["ops operator", "tenant-a tenant"]);
  });

  test("the one with delivery policies, in which the hook has its own beside that for all", () => {
    expect(sipOf("policies")).toMatchObject({
      delivery: { expiry: [{ events: "track_*", after: 60_000 }] },
      hooks: [{ delivery: { concurrency: 2, rate: 5, events: ["participant_*", "room_*"], max_age: 3_600_000 } }],
    });
  });

  test("the one with routes, in which each kind of them has its matcher", () => {
    const { matchers, routes = [] } = sipOf("routes") ?? {};
    expect(routes.map(({ hook, ...criterion }) => [String(hook), Object.keys(criterion)[0]])).toEqual([
      ["tenant-a.example.com", "number"],
      ["tenant-b.example.com", "number_prefix"],
      ["tenant-b.example.com", "trunk"],
      ["tenant-c.example.com", "attribute"],
    ]);
    const names = builtInMatchers([]).map(({ name }) => name);
    expect(matchers?.toSorted()).toEqual(names.toSorted());
    const explained = tableRows(section("Which hook gets what")).flatMap(([name = ""]) => quoted(name));
    expect(explained).toEqual(expect.arrayContaining(names));
  });

  test("the one with a secret and a key that replace others", () => {
    const until = Date.parse("2030-01-31T12:00:00Z");
    expect(sipOf("signing")).toMatchObject({
      hook_secret: { kind: "env", name: "hook-secret" },
      previous_hook_secret: { secret: { name: "hook-secret-old" }, until },
      signing_key: { name: "signing-key" },
      previous_signing_key: { key: { name: "signing-key-old" }, until },
    });
  });

  test("the one with credentials, which has each kind of them", () => {
    const kinds = sipOf("credentials")?.hooks.flatMap(({ credentials }) => Object.keys(credentials ?? {}));
    expect(kinds?.toSorted()).toEqual(Object.keys(CredentialsSchema.properties).toSorted());
    const [tenant] = load(withoutFiles(codeBlock("credentials")), secrets).auth.api_secrets;
    expect(tenant?.secret_refs).toEqual(["env:tenant-a-bearer"]);
  });

  test("the container's variables, with those that the image sets", () => {
    const lines = codeBlock("sayna-sip.env").trim().split("\n");
    const env = Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]));
    const config = loadConfig({ env: { ...env, HOST: "0.0.0.0", AUTH_REQUIRED: "true", DATA_DIR: "/data" } });
    expect(config.livekit.api_key).toBe("APIexample");
    expect(config.sip?.allowed_addresses).toEqual(["203.0.113.0/24"]);
  });
});

describe("the delivery policy", () => {
  const rows = tableRows(section("Delivery policies")).map(([setting = "", byDefault = "", , forTenants = ""]) => ({
    setting: quoted(setting)[0] ?? "",
    byDefault,
    forTenants,
  }));

  test("in its table has every setting with its default", () => {
    const prefix = "`sip.delivery.";
    const settings = configTable().flatMap(([name = "", , byDefault]) =>
      name.startsWith(prefix) && !name.includes("[]")
        ? [{ setting: name.slice(prefix.length, -1), byDefault: byDefault ?? "" }]
        : [],
    );
    expect(rows.map(({ setting, byDefault }) => ({ setting, byDefault }))).toEqual(settings);
  });

  test("in its table says which settings a tenant may only lower", () => {
    const { delivery } = load("sip: {room_prefix: sip-, provision: false, delivery: {rate: 5}}").sip ?? {};
    if (delivery === undefined) throw new Error("there is no policy");
    const { max_age: maxAge, ...rest } = delivery;
    const much = { concurrency: 200, rate: 10_000, maxAge: maxAge * 2, deadline: 300_000, schedule: [1] };
    const anything = { order: "none", events: ["*"], expiry: [{ events: "*", after: 1 }] } as const;
    const refused: string[] = [...policyExcess({ ...much, ...anything }, { ...rest, maxAge })].map(
      ({ at: [setting] }) => setting,
    );
    const limited = rows.filter(({ forTenants }) => !/^(any|either)\b/.test(forTenants)).map(({ setting }) => setting);
    expect(refused.toSorted()).toEqual(limited.toSorted());
  });

  test("in the text is the default one", () => {
    const { delivery } = load("sip: {room_prefix: sip-, provision: false}").sip ?? {};
    expect(delivery).toEqual({
      schedule: [1_000, 5_000, 15_000, 60_000, 300_000],
      max_age: 24 * 3_600_000,
      deadline: 10_000,
      concurrency: 10,
      order: "call",
      events: ["*"],
      expiry: [],
    });
    expect(unsaid(["come after 1 s, 5 s, 15 s, 1 min and 5 min", "at most 10 at a time"])).toEqual([]);
    expect(unsaid(["What is older than 24 h when its turn comes is not sent", "Answer 2xx within 10 seconds"])).toEqual(
      [],
    );
  });
});

test("the ages and the size of retention are the default ones", () => {
  const { retention } = load("");
  const days = (ms: number): string => `${ms / 86_400_000} days`;
  const { delivered, dead, unmatched, max_size: maxSize } = retention;
  expect(
    unsaid([
      `${days(delivered)} (\`retention.delivered\`)`,
      `${days(dead)} (\`retention.dead\`)`,
      `${days(unmatched)} (\`retention.unmatched\`)`,
      `when there are more than ${maxSize / 1024 ** 3} GiB (\`retention.max_size\`)`,
      `${days(dead)} by default, what has arrived ${delivered / 86_400_000}.`,
    ]),
  ).toEqual([]);
});

test("the command that makes a signing key makes one that is accepted", () => {
  const bytes = Number(/`echo "whsk_\$\(openssl rand -base64 (\d+)\)"`/.exec(README)?.[1]);
  expect(parseSigningKey(`whsk_${Buffer.alloc(bytes, 7).toString("base64")}`)).toBeDefined();
});

/** Which of these the README does not say, wherever its lines end and however wide its tables are. */
function unsaid(parts: readonly string[]): readonly string[] {
  const text = README.replaceAll(/\s+\|?\s*/g, " ");
  return parts.filter((part) => !text.includes(part));
}
