import { describe, expect, test } from "bun:test";
import { loadConfig, startupNotes } from "../../../plugins/config-loader";
import type { HostPattern } from "../../../src/domain/host-pattern";
import { parseHostPattern } from "../../../src/domain/host-pattern";
import { failure, load, messagesOf, problemsOf, SIP } from "./load-text";

const host = (text: string): HostPattern => parseHostPattern(text) ?? fail(text);
const fail = (text: string): never => {
  throw new Error(`${text} is no host`);
};

const SINGLE_CARRIER = `sip:
  room_prefix: "sip-"
  allowed_addresses:
    - "203.0.113.0/24"
  hooks:
    - host: "sip-provider.example.com"
      url: "https://backend.myapp.com/sip/events"
`;

const MULTIPLE_CARRIERS = `sip:
  room_prefix: "sip-"
  allowed_addresses:
    - "203.0.113.0/24"
    - "198.51.100.0/24"
  hooks:
    - host: "provider-a.example.com"
      url: "https://backend.myapp.com/sip/provider-a"
    - host: "provider-b.example.com"
      url: "https://backend.myapp.com/sip/provider-b"
`;

const LOCAL_TESTING = `sip:
  room_prefix: "test-sip-"
  allowed_addresses:
    - "127.0.0.1"
    - "192.168.1.0/24"
  hooks:
    - host: "localhost"
      url: "https://localhost:8443/webhooks"
`;

const YAML_EXAMPLE = `sip:
  room_prefix: "sip-"
  allowed_addresses:
    - "192.168.1.0/24"
    - "10.0.0.1"
  hooks:
    - host: "example.com"
      url: "https://webhook.example.com/events"
    - host: "another.com"
      url: "https://webhook2.example.com/events"
`;

describe("seed: the reference configurations load as they stand", () => {
  test.each([
    [
      "single carrier",
      SINGLE_CARRIER,
      "sip-",
      ["203.0.113.0/24"],
      [{ host: host("sip-provider.example.com"), url: "https://backend.myapp.com/sip/events" }],
    ],
    [
      "multiple carriers",
      MULTIPLE_CARRIERS,
      "sip-",
      ["203.0.113.0/24", "198.51.100.0/24"],
      [
        { host: host("provider-a.example.com"), url: "https://backend.myapp.com/sip/provider-a" },
        { host: host("provider-b.example.com"), url: "https://backend.myapp.com/sip/provider-b" },
      ],
    ],
    [
      "local testing",
      LOCAL_TESTING,
      "test-sip-",
      ["127.0.0.1", "192.168.1.0/24"],
      [{ host: host("localhost"), url: "https://localhost:8443/webhooks" }],
    ],
    [
      "the YAML example",
      YAML_EXAMPLE,
      "sip-",
      ["192.168.1.0/24", "10.0.0.1"],
      [
        { host: host("example.com"), url: "https://webhook.example.com/events" },
        { host: host("another.com"), url: "https://webhook2.example.com/events" },
      ],
    ],
  ])("seed: %s", (_, yaml, prefix, addresses, hooks) => {
    const { sip } = load(yaml);
    expect(sip?.room_prefix).toBe(prefix);
    expect(sip?.allowed_addresses).toEqual(addresses);
    expect(sip?.hooks).toEqual(hooks);
    expect(sip?.max_participants).toBe(3);
  });

  test("seed: the environment example says the same as YAML", () => {
    const config = loadConfig({
      env: {
        SIP_ROOM_PREFIX: "sip-",
        SIP_ALLOWED_ADDRESSES: "192.168.1.0/24,10.0.0.1",
        SIP_HOOKS_JSON: '[{"host":"example.com","url":"https://webhook.example.com/events"}]',
      },
    });
    expect(config).toEqual(
      load(`sip:
  room_prefix: "sip-"
  allowed_addresses: ["192.168.1.0/24", "10.0.0.1"]
  hooks: [{host: "example.com", url: "https://webhook.example.com/events"}]
`),
    );
  });
});

describe("seed: SIP is a fully optional module", () => {
  test("seed: without a sip block and without SIP variables sip is undefined", () => {
    const config = loadConfig({ env: {} });
    expect(config.sip).toBeUndefined();
    expect("sip" in config).toBe(true);
  });

  test("seed: without SIP configuration no start note is about SIP", () => {
    const notes = [{}, { HOST: "0.0.0.0" }].flatMap((env) => startupNotes(loadConfig({ env })));
    expect(notes.map(({ message }) => message).join("\n")).not.toMatch(/sip/i);
  });

  test("seed: accessing config in code", () => {
    const { sip } = load(SINGLE_CARRIER);
    expect(`${sip?.room_prefix} ${sip?.hooks.length} ${sip?.hooks[0]?.host}`).toBe("sip- 1 sip-provider.example.com");
  });
});

describe("seed: precedence is environment over YAML over disabled", () => {
  test("seed: a value supplied via a variable replaces the YAML one entirely, lists are not merged", () => {
    const { sip } = load(MULTIPLE_CARRIERS, {
      SIP_ALLOWED_ADDRESSES: "10.0.0.1",
      SIP_HOOKS_JSON: '[{"host":"only.example.com","url":"https://only.example.com/"}]',
    });
    expect(sip?.allowed_addresses).toEqual(["10.0.0.1"]);
    expect(sip?.hooks).toEqual([{ host: host("only.example.com"), url: "https://only.example.com/" }]);
    expect(sip?.room_prefix).toBe("sip-");
  });

  test("seed: SIP_ALLOWED_ADDRESSES is comma-separated and its white space is trimmed", () => {
    const { sip } = load("", { SIP_ROOM_PREFIX: "sip-", SIP_ALLOWED_ADDRESSES: " 192.168.1.0/24 ,\t10.0.0.1 , " });
    expect(sip?.allowed_addresses).toEqual(["192.168.1.0/24", "10.0.0.1"]);
  });
});

describe("seed: room prefix", () => {
  const withPrefix = (prefix: string) => `sip:\n  room_prefix: ${prefix}\n  allowed_addresses: [10.0.0.1]\n`;

  test.each(["sip-", "room_42", "A", "-", "_", "0"])("seed: %s is accepted", (prefix) => {
    expect(load(withPrefix(JSON.stringify(prefix))).sip?.room_prefix).toBe(prefix);
  });

  test.each([
    ["in YAML", withPrefix('""'), {}],
    ["in YAML, nothing after the colon", withPrefix(""), {}],
    ["as a variable", "", { SIP_ROOM_PREFIX: "", SIP_ALLOWED_ADDRESSES: "10.0.0.1" }],
    ["as a variable over a good YAML one", SINGLE_CARRIER, { SIP_ROOM_PREFIX: "" }],
  ])("seed: cannot be empty, %s", (_, yaml, env) => {
    expect(messagesOf(yaml, env)).toEqual(["SIP room_prefix cannot be empty"]);
  });

  test.each(["sip ", "sip.", "sip/", "síp-", "sip-\\n", "sip-*"])(
    "seed: only alphanumeric, -, _: %s is refused",
    (prefix) => {
      expect(messagesOf(withPrefix(`"${prefix}"`))).toEqual([
        "SIP room_prefix must contain only alphanumeric characters, '-', or '_'",
      ]);
    },
  );
});

describe("seed: allowed addresses", () => {
  const MESSAGE = "SIP allowed_addresses cannot be empty";

  test.each([
    ["an empty list", "sip: {room_prefix: sip-, allowed_addresses: []}", {}],
    ["nothing given", "sip: {room_prefix: sip-}", {}],
    ["nothing after the colon", "sip:\n  room_prefix: sip-\n  allowed_addresses:\n", {}],
    ["a variable of commas", SINGLE_CARRIER, { SIP_ALLOWED_ADDRESSES: " , " }],
  ])("seed: the list cannot be empty when the SIP block exists: %s", (_, yaml, env) => {
    expect(messagesOf(yaml, env)).toEqual([MESSAGE]);
  });

  test("the list may be empty when somebody else provisions", () => {
    expect(load("sip: {room_prefix: sip-, provision: false}").sip?.allowed_addresses).toEqual([]);
  });

  test.each(["10.0.0.1", "192.168.1.0/24", "0.0.0.0/0", "10.0.0.1/8", "2001:db8::/32", "::1", "2001:DB8::7/128"])(
    "seed: %s is accepted, and handed on as written",
    (address) => {
      expect(load(`sip: {room_prefix: sip-, allowed_addresses: ["${address}"]}`).sip?.allowed_addresses).toEqual([
        address,
      ]);
    },
  );

  test.each([
    "203.0.113.0/99",
    "1.2.3",
    "010.0.0.1",
    "10.0.0.0.0/8",
    "::1/129",
    "[::1]",
    "10.0.0.1/",
    "10.0.0.1/-1",
    "10.0.0.1/08",
    "10.0.0.1 ",
    "example.com",
    "1",
    "",
  ])("seed: SIP allowed_address '%s' does not look valid", (address) => {
    const message = `SIP allowed_address '${address}' does not look valid`;
    expect(messagesOf(`sip: {room_prefix: sip-, allowed_addresses: [10.0.0.1, "${address}"]}`)).toEqual([message]);
  });

  test("seed: an address of a variable is checked like one of the file", () => {
    expect(problemsOf("", { SIP_ROOM_PREFIX: "sip-", SIP_ALLOWED_ADDRESSES: "10.0.0.1,1.2.3" })).toEqual([
      expect.objectContaining({
        message: "SIP allowed_address '1.2.3' does not look valid",
        source: "SIP_ALLOWED_ADDRESSES",
      }),
    ]);
  });
});

describe("seed: hooks", () => {
  const hooks = (...entries: string[]) => `${SIP}  hooks: [${entries.join(", ")}]\n`;

  test.each(["example.com", "EXAMPLE.com", "example.com.", "example.com:5060"])(
    "seed: Duplicate SIP hook host, example.com and %s",
    (second) => {
      const yaml = hooks("{host: example.com, url: https://a.example}", `{host: "${second}", url: https://b.example}`);
      expect(messagesOf(yaml)).toEqual(["Duplicate SIP hook host: 'example.com' (sip.hooks[1].host)"]);
    },
  );

  test.each([
    "http://a.example/",
    "ftp://a.example/",
    "a.example",
    "//a.example/",
    "https:/a.example",
    "",
    "javascript:0",
  ])("seed: SIP hook URL must be HTTPS, %s is refused", (url) => {
    expect(messagesOf(hooks(`{host: example.com, url: "${url}"}`))).toEqual([
      "SIP hook URL must be HTTPS (sip.hooks[0].url)",
    ]);
  });

  test("seed: HTTPS is required in SIP_HOOKS_JSON too", () => {
    const env = { SIP_HOOKS_JSON: '[{"host":"example.com","url":"http://webhook.example.com/events"}]' };
    expect(problemsOf(SIP, env)).toEqual([
      { message: "SIP hook URL must be HTTPS (sip.hooks[0].url)", source: "SIP_HOOKS_JSON", hint: expect.any(String) },
    ]);
  });
});

describe("seed: troubleshooting", () => {
  const REQUIRED = "SIP room_prefix is required when SIP configuration is present";

  test.each([
    ["allowed addresses in YAML", "sip:\n  allowed_addresses: [10.0.0.1]\n", {}, "1:1"],
    ["hooks in YAML", "sip:\n  hooks: []\n", {}, "1:1"],
    ["an empty sip block", "data_dir: ./x\nsip:\n", {}, "2:1"],
    ["allowed addresses as a variable", "", { SIP_ALLOWED_ADDRESSES: "10.0.0.1" }, "SIP_ALLOWED_ADDRESSES"],
    ["hooks as a variable", "", { SIP_HOOKS_JSON: "[]" }, "SIP_HOOKS_JSON"],
    ["any other SIP variable", "", { SIP_MAX_PARTICIPANTS: "5" }, "SIP_MAX_PARTICIPANTS"],
  ])("seed: SIP room_prefix is required when SIP configuration is present: %s", (_, yaml, env, source) => {
    expect(problemsOf(yaml, env)).toContainEqual({
      message: REQUIRED,
      source,
      hint: expect.stringContaining("SIP_ROOM_PREFIX"),
    });
  });

  test("seed: the block is validated at startup with descriptive errors, all of them at once", () => {
    const { message } = failure(() =>
      load("sip:\n  allowed_addresses: [1.2.3]\n  hooks: [{host: a.example, url: http://a.example}]\n"),
    );
    expect(message).toContain(REQUIRED);
    expect(message).toContain("SIP allowed_address '1.2.3' does not look valid");
    expect(message).toContain("SIP hook URL must be HTTPS");
    expect(message).toContain("Use https:// for every entry.");
  });
});
