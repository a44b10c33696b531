import { KindGuard, type TSchema } from "@sinclair/typebox";
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument, visit, isScalar } from "yaml";
import { loadConfig } from "../../../plugins/config-loader";
import { ConfigSchema } from "../../../plugins/config-loader/schema";
import { VARIABLE_NAMES } from "../../../plugins/config-loader/variables";
import { load, unbranded } from "./load-text";

const EXAMPLE = join(import.meta.dir, "../../../sayna-sip.example.yaml");
const text = readFileSync(EXAMPLE, "utf8");

/** The example with every commented-out setting switched on; a list that is empty above its example goes. */
const UNCOMMENTED = text.replace(/^( *)(\w+): \[\]\n(?= *#\2:)/gm, "").replace(/^( *)#(?=\S|  )/gm, "$1");

const keysOf = (yaml: string): Set<string> => {
  const keys = new Set<string>();
  visit(parseDocument(yaml), {
    Pair: (_, { key }) => {
      const name = isScalar(key) ? String(key.value) : "";
      keys.add(name);
      // What follows is a plugin's own.
      return name === "options" ? visit.SKIP : undefined;
    },
  });
  return keys;
};

function schemaKeys(schema: TSchema): string[] {
  if (KindGuard.IsArray(schema)) return schemaKeys(schema.items);
  if (!KindGuard.IsObject(schema)) return [];
  return Object.entries(schema.properties).flatMap(([key, member]) => [key, ...schemaKeys(member)]);
}

describe("sayna-sip.example.yaml is the defaults", () => {
  test("it loads as it stands, and says nothing but the defaults beside the two settings that have none", () => {
    const minimum = load("sip: {room_prefix: sip-, allowed_addresses: [203.0.113.0/24]}");
    expect(loadConfig({ file: EXAMPLE, env: {} })).toEqual(minimum);
  });

  test("without its sip block it is the empty configuration", () => {
    const { sip, ...rest } = loadConfig({ file: EXAMPLE, env: {} });
    expect(sip).toBeDefined();
    expect(unbranded({ ...rest, sip: undefined })).toEqual(load(""));
  });

  test("every setting is in it, as a setting or as a commented-out one", () => {
    const expected = schemaKeys(ConfigSchema);
    expect(expected.length).toBeGreaterThan(30);
    expect([...keysOf(UNCOMMENTED)].toSorted()).toEqual([...new Set(expected)].toSorted());
  });

  test("every setting that has a default is in it as a setting", () => {
    const active = keysOf(text);
    const withDefault = (schema: TSchema): string[] => {
      if (!KindGuard.IsObject(schema)) return [];
      return Object.entries(schema.properties).flatMap(([key, member]) => [
        ...("default" in member ? [key] : []),
        ...withDefault(member),
      ]);
    };
    expect(withDefault(ConfigSchema).filter((key) => !active.has(key))).toEqual([]);
  });

  test("every variable is named in it", () => {
    expect(VARIABLE_NAMES.filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([]);
  });

  test("its commented-out examples are valid", () => {
    const env = {
      LIVEKIT: "livekit-secret",
      LIVEKIT_OLD: "b",
      OPS: "c",
      TENANT_A: "d",
      HOOK_SECRET: "e",
      HOOK_SECRET_OLD: "e",
      SIGNING_KEY: "e",
      SIGNING_KEY_OLD: "e",
      TENANT_A_SECRET: "f",
      TENANT_B_OLD: "g",
      TENANT_B_TOKEN: "g",
      TENANT_B_KEY: "g",
      TLS_CERT: "g",
      TLS_KEY: "g",
      TENANT_C_PASSWORD: "h",
    };
    const toVariable = (_: string, name: string): string => `env:${name.toUpperCase().replaceAll("-", "_")}`;
    const whole = UNCOMMENTED.replace(
      /^  matchers: .*$/m,
      "  matchers: [called-number, number-prefix, trunk, attribute]",
    );
    const config = load(whole.replaceAll(/file:\/run\/secrets\/([\w-]+)/g, toVariable), env);
    expect(config.livekit.api_secret?.reveal()).toBe("livekit-secret");
    expect(config.livekit.webhook_keys.map(({ api_key }) => api_key)).toEqual(["APIold"]);
    expect(config.auth.api_secrets.map(({ id, role, hosts }) => `${id} ${role} ${hosts.join()}`)).toEqual([
      "ops operator ",
      "tenant-a tenant *.tenant-a.example.com",
    ]);
    expect(config.sip?.hooks.map(({ host }) => String(host))).toEqual([
      "a.example.com",
      "*.b.example.com",
      "c.example.com",
    ]);
    expect(config.plugins.map(({ module }) => module)).toEqual(["./my-matcher.ts", "./number-table.ts"]);
    expect(config.sip?.routes.map(({ hook }) => String(hook))).toEqual([
      "a.example.com",
      "c.example.com",
      "c.example.com",
      "c.example.com",
    ]);
  });
});

test("every setting of the schema says what it is for", () => {
  const undescribed = (schema: TSchema, name: string): string[] => [
    ...(schema.description === undefined || schema.description === "" ? [name] : []),
    ...(KindGuard.IsArray(schema) ? undescribed(schema.items, `${name}[]`) : []),
    ...(KindGuard.IsObject(schema)
      ? Object.entries(schema.properties).flatMap(([key, member]) => undescribed(member, `${name}.${key}`))
      : []),
  ];
  expect(undescribed(ConfigSchema, "")).toEqual([]);
});
