import { describe, expect, test } from "bun:test";
import { loadConfig } from "../../plugins/config-loader";
import { VARIABLE_NAMES } from "../../plugins/config-loader/variables";
import { load } from "../plugins/config-loader/load-text";
import { configTable } from "./config-table";
import { codeBlock, README, section, tableRows } from "./readme";

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
  const secrets = { "livekit-secret": "a", "ops-token": "b", "tenant-a-token": "c", "tenant-a-hook-secret": "d" };

  test("the set-up's, in which the API asks for a credential", () => {
    const config = load(withoutFiles(codeBlock("sayna-sip.yaml")), secrets);
    expect(config.auth).toMatchObject({ required: true, api_secrets: [{ id: "ops", role: "operator" }] });
    expect(config.sip?.room_prefix).toBe("sip-");
  });

  test("the one with a tenant's credential", () => {
    const config = load(withoutFiles(codeBlock("roles")), secrets);
    expect(config.auth.api_secrets.map(({ id, role }) => `${id} ${role}`)).toEqual(["ops operator", "tenant-a tenant"]);
  });

  test("the container's variables, with those that the image sets", () => {
    const lines = codeBlock("sayna-sip.env").trim().split("\n");
    const env = Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]));
    const config = loadConfig({ env: { ...env, HOST: "0.0.0.0", AUTH_REQUIRED: "true", DATA_DIR: "/data" } });
    expect(config.livekit.api_key).toBe("APIexample");
    expect(config.sip?.allowed_addresses).toEqual(["203.0.113.0/24"]);
  });
});

test("the delivery policy in the text is the default one", () => {
  const { delivery } = load("sip: {room_prefix: sip-, provision: false}").sip ?? {};
  expect(delivery).toEqual({
    schedule: [1_000, 5_000, 15_000, 60_000, 300_000],
    max_age: 24 * 3_600_000,
    deadline: 10_000,
    concurrency: 10,
  });
  const text = README.replaceAll(/\s+/g, " ");
  const said = [
    "come after 1 s, 5 s, 15 s, 1 min and 5 min",
    "What is older than 24 h when its turn comes is not sent",
    "Answer 2xx within 10 seconds",
    "at most 10 at a time",
  ];
  expect(said.filter((part) => !text.includes(part))).toEqual([]);
});
