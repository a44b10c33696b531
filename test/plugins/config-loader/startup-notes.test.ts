import { describe, expect, test } from "bun:test";
import { startupNotes } from "../../../plugins/config-loader";
import { load, SIP } from "./load-text";

const notesOf = (yaml: string, env: Record<string, string> = {}): string[] =>
  startupNotes(load(yaml, env)).map(({ level, message }) => `${level} ${message}`);

const OPEN = /^warn The management API on .* is open to everybody/;
const LOCAL = /^info Listening on .*only a LiveKit on this machine can deliver its webhooks.*HOST/;

describe("the address that is listened on", () => {
  test.each(["127.0.0.1", "127.9.9.9", "::1", "localhost", "a.localhost"])(
    "%s is loopback: the note names HOST",
    (host) => {
      expect(notesOf("", { HOST: host })).toEqual([expect.stringMatching(LOCAL)]);
    },
  );

  test.each(["0.0.0.0", "::", "10.0.0.1", "128.0.0.1", "sip.example.com", "localhost.example.com"])(
    "%s without authentication is a warning",
    (host) => {
      expect(notesOf("", { HOST: host })).toEqual([expect.stringMatching(OPEN)]);
    },
  );

  test("a secret that nobody has to show is a warning all the same", () => {
    expect(notesOf("", { HOST: "0.0.0.0", AUTH_API_SECRET: "s" })).toEqual([expect.stringMatching(OPEN)]);
  });

  test("another address with authentication needs no note", () => {
    expect(notesOf("", { HOST: "0.0.0.0", AUTH_REQUIRED: "true", AUTH_API_SECRET: "s" })).toEqual([]);
  });
});

describe("with a second port", () => {
  const NOTES = { MANAGEMENT_PORT: "3002" };

  test("open webhooks and a management API on loopback need no note", () => {
    expect(notesOf("", { ...NOTES, HOST: "0.0.0.0" })).toEqual([]);
  });

  test("the warning is about the management API's address, and names its setting", () => {
    expect(notesOf("", { ...NOTES, HOST: "0.0.0.0", MANAGEMENT_HOST: "10.0.0.1" })).toEqual([
      expect.stringMatching(
        /^warn The management API on 10\.0\.0\.1 is open .*MANAGEMENT_HOST=127\.0\.0\.1.*AUTH_REQUIRED/,
      ),
    ]);
  });

  test("both are said when LiveKit must be here and the API is open", () => {
    expect(notesOf("", { ...NOTES, MANAGEMENT_HOST: "::" })).toEqual([
      expect.stringMatching(LOCAL),
      expect.stringMatching(OPEN),
    ]);
  });
});

describe("with a sip block", () => {
  const ENV = { HOST: "0.0.0.0", AUTH_REQUIRED: "true", AUTH_API_SECRET: "s" };

  test("the defaults need no note", () => {
    expect(notesOf(SIP, ENV)).toEqual([]);
    expect(notesOf(`${SIP}  host_headers: [to, t]\n`, ENV)).toEqual([]);
  });

  test("a header other than To: the proxy must remove a caller's own", () => {
    expect(notesOf(`${SIP}  host_headers: [X-To-IP, To]\n`, ENV)).toEqual([
      expect.stringMatching(/^warn .*X-To-IP: the proxy .* must remove a caller's own X-To-IP/),
    ]);
  });

  test("a route that looks at a header: the proxy must remove what a caller writes there", () => {
    const route = (attribute: string) =>
      `${SIP}  matchers: [attribute]\n  routes: [{attribute: ${attribute}, value: blue, hook: a.example.com}]\n`;
    expect(notesOf(route("sip.h.x-tenant"), ENV)).toEqual([
      expect.stringMatching(/^warn SIP routes look at sip\.h\.x-tenant: the proxy .* must remove/),
    ]);
    expect(notesOf(route("tenant"), ENV)).toEqual([]);
  });

  test("a secret without whsec_ gives Sayna's headers only, whether it is the global one or a hook's", () => {
    const hooks =
      "[{host: a.example, url: https://a.example, secret: plain}, {host: b.example, url: https://b.example}]";
    expect(notesOf(`${SIP}  hook_secret: plain\n  hooks: ${hooks}\n`, ENV)).toEqual([
      expect.stringMatching(/^info .*sip\.hook_secret, the hook of a\.example carry X-Sayna-Signature only.*whsec_/),
    ]);
  });

  test("a whsec_ secret and references need no note", () => {
    const secret = `whsec_${Buffer.alloc(32).toString("base64")}`;
    const hooks = "[{host: a.example, url: https://a.example, secret: 'file:/a'}]";
    expect(notesOf(`${SIP}  hook_secret: ${secret}\n  hooks: ${hooks}\n`, ENV)).toEqual([]);
  });
});

describe("allowed addresses", () => {
  const ENV = { HOST: "0.0.0.0", AUTH_REQUIRED: "true", AUTH_API_SECRET: "s" };
  const notes = (addresses: string, more: Record<string, string> = {}) =>
    notesOf(SIP, { ...ENV, SIP_ALLOWED_ADDRESSES: addresses, ...more });

  test("that are no blocks are a warning, because LiveKit compares them with From's host as well", () => {
    expect(notes("203.0.113.0/24,198.51.100.7,2001:db8::7")).toEqual([
      expect.stringMatching(
        /^warn SIP allowed_addresses has 198\.51\.100\.7, 2001:db8::7 without .*Write 198\.51\.100\.7\/32, 2001:db8::7\/128\.$/,
      ),
    ]);
  });

  test("that are blocks need no note, nor does a trunk that somebody else makes", () => {
    expect(notes("203.0.113.0/24,198.51.100.7/32,2001:db8::7/128")).toEqual([]);
    expect(notes("198.51.100.7", { SIP_PROVISION: "false" })).toEqual([]);
  });
});

describe("patterns of events", () => {
  const ENV = { HOST: "0.0.0.0", AUTH_REQUIRED: "true", AUTH_API_SECRET: "s" };

  test("that fit what LiveKit sends need no note", () => {
    const patterns = "[room_started, participant_*, '*_ended', '*', agent_job_started]";
    expect(notesOf(`${SIP}  delivery: {events: ${patterns}, expiry: [{events: track_*, after: 1m}]}\n`, ENV)).toEqual(
      [],
    );
  });

  test.each([
    [
      "delivery: {events: [participant_join]}",
      /^warn .*fits participant_join of sip\.delivery\. Is participant_joined meant\?/,
    ],
    [
      "delivery: {expiry: [{events: trak_*, after: 1m}]}",
      /^warn .*fits trak_\* of sip\.delivery\. Known are room_started/,
    ],
    [
      "hooks: [{host: a.b, url: https://a.b, delivery: {events: [egress_startd]}}]",
      /^warn .*fits egress_startd of the hook of a\.b\. Is egress_started meant\?/,
    ],
  ])("%s is a warning, as LiveKit adds events", (setting, note) => {
    expect(notesOf(`${SIP}  ${setting}\n`, ENV)).toEqual([expect.stringMatching(note)]);
  });
});

test("no note holds a secret", () => {
  expect(notesOf(`${SIP}  hook_secret: hunter2\n`).join()).not.toContain("hunter2");
});
