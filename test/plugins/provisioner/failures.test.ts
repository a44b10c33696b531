import { describe, expect, test } from "bun:test";
import { ProvisioningError } from "../../../plugins/provisioner";
import { Secret } from "../../../src/domain/secret";
import type { Fault, FakeLiveKit } from "../../support/fake-livekit";
import {
  API_SECRET,
  instance,
  messages,
  provisioned,
  runToEnd,
  startLiveKit,
  until,
  type Instance,
} from "./started-livekit";

/** A fresh start: two kinds of resource, each listed, created and listed again, and a last look at both. */
const FRESH = ["list", "create", "list", "list", "create", "list", "list", "list"];
const TRUNK_REQUESTS = new Set([1, 2, 3, 7]);
/** A start that changes something: both listed and changed. */
const CHANGING = ["list", "update", "list", "update"];
const CHANGES = { allowedAddresses: ["192.0.2.1"], maxParticipants: 7 };

type Break = (at: { clock: Instance["clock"]; nth: number }) => Fault;

const PASSING: [string, Break][] = [
  ["503 of a proxy", ({ nth }) => ({ nth, at: "request", answer: { status: 503, body: "<html>busy</html>" } })],
  [
    "500 of LiveKit",
    ({ nth }) => ({ nth, at: "request", answer: { status: 500, body: { code: "internal", msg: "x" } } }),
  ],
  ["429", ({ nth }) => ({ nth, at: "request", answer: { status: 429, body: "" } })],
  ["a connection that ends before the request is done", ({ nth }) => ({ nth, at: "request", drop: true })],
  ["a connection that ends before the answer", ({ nth }) => ({ nth, at: "answer", drop: true })],
  ["an answer that never comes", ({ nth, clock }) => ({ nth, at: "request", run: () => tenSecondsPass(clock) })],
  ["an answer that comes too late", ({ nth, clock }) => ({ nth, at: "answer", run: () => tenSecondsPass(clock) })],
];

/** LiveKit is silent; the rest of the test goes on. */
function tenSecondsPass(clock: Instance["clock"]): Promise<void> {
  void clock.turn(10_000);
  return new Promise(() => {});
}

const answer =
  (status: number, body: object | string, headers: Record<string, string> = {}): Break =>
  ({ nth }) => ({
    nth,
    at: "request",
    answer: { status, body, headers },
  });
const error = (code: string, msg: string): object => ({ code, msg });

const DEFINITE: [string, Break, RegExp][] = [
  [
    "a key that LiveKit does not know",
    answer(401, "invalid API key: devkey"),
    /does not accept the API key and secret/,
  ],
  [
    "a token that LiveKit finds expired",
    answer(401, "invalid token: eyJ.eyJ.x, error: token has invalid claims: token is expired"),
    /clocks .* NTP/,
  ],
  [
    "a key without the SIP grant",
    answer(401, error("unauthenticated", "permissions denied")),
    /lacks the SIP admin grant/,
  ],
  ["403", answer(403, "forbidden"), /lacks the SIP admin grant/],
  [
    "a LiveKit without Redis",
    answer(500, error("internal", "twirp error unknown: sip not connected (redis required)")),
    /runs without Redis/,
  ],
  [
    "a LiveKit without this method",
    answer(404, error("bad_route", "no handler for path")),
    /is no LiveKit with a SIP API/,
  ],
  ["another server's 404", answer(404, "<html>not found</html>"), /is no LiveKit with a SIP API .*HTTP 404/],
  ["another server's 200", answer(200, "<html>welcome</html>"), /is no LiveKit with a SIP API .*HTTP 200/],
  ["a redirect", answer(301, "", { location: "/elsewhere" }), /is no LiveKit with a SIP API .*HTTP 301/],
  ["a request that LiveKit cannot read", answer(400, error("malformed", "no")), /LiveKit answered HTTP 400: no/],
];

const onlyOne = (livekit: FakeLiveKit): void => {
  expect([livekit.state.trunks.size, livekit.state.rules.size]).toEqual([1, 1]);
  const [trunk] = livekit.state.trunks.values();
  const [rule] = livekit.state.rules.values();
  expect(rule?.["trunk_ids"]).toEqual([trunk?.["sip_trunk_id"]]);
};

describe("a failure that passes, at any request", () => {
  test.each(PASSING)("of a first start ends with one trunk and one rule: %s", async (_, fault) => {
    for (const index of FRESH.keys()) {
      const livekit = await startLiveKit();
      const started = instance(livekit);
      livekit.inject(fault({ clock: started.clock, nth: index + 1 }));
      expect(await runToEnd(started)).toEqual({ error: undefined, waited: [1_000] });
      onlyOne(livekit);
      expect(messages(started, "warn")).toEqual([expect.stringMatching(/^LiveKit .*; trying again$/)]);
      expect(livekit.requests.length).toBeGreaterThan(FRESH.length);
    }
  });

  test.each(PASSING)("of a start that changes something, the change takes effect: %s", async (_, fault) => {
    for (const index of CHANGING.keys()) {
      const livekit = await startLiveKit();
      await provisioned(livekit);
      const started = instance(livekit, CHANGES);
      livekit.inject(fault({ clock: started.clock, nth: index + 1 }));
      expect(await runToEnd(started)).toEqual({ error: undefined, waited: [1_000] });
      onlyOne(livekit);
      expect([...livekit.state.trunks.values()][0]).toMatchObject({ allowed_addresses: ["192.0.2.1"] });
      expect([...livekit.state.rules.values()][0]).toMatchObject({ room_config: { max_participants: 7 } });
    }
  });
});

describe("a failure that stays, at any request", () => {
  test.each(DEFINITE)("ends the start at once, with name, cause and what to do: %s", async (_, fault, cause) => {
    for (const index of FRESH.keys()) {
      const livekit = await startLiveKit();
      const started = instance(livekit);
      livekit.inject({ ...fault({ clock: started.clock, nth: index + 1 }), times: Infinity });
      const { error: ended, waited } = await runToEnd(started);
      const name = TRUNK_REQUESTS.has(index + 1)
        ? "SIP trunk sayna-sip--trunk"
        : "SIP dispatch rule sayna-sip--dispatch";
      expect(ended).toBeInstanceOf(ProvisioningError);
      expect(String(ended)).toMatch(cause);
      expect(String(ended)).toStartWith(`ProvisioningError: ${name} could not be provisioned: `);
      expect(String(ended)).toMatch(/\. [A-Z][^.]+.*\.$/);
      expect(waited).toEqual([]);
      expect(livekit.requests.length).toBe(index + 1);
      const state: unknown = started.provisioner.state();
      expect(state).toEqual({ kind: "failed", error: ended });
    }
  });

  test("is told from LiveKit's own words: a wrong secret", async () => {
    const livekit = await startLiveKit();
    const started = instance(livekit, { apiSecret: new Secret("another-secret-another-secret-00") });
    const { error: ended } = await runToEnd(started);
    expect(String(ended)).toBe(
      "ProvisioningError: SIP trunk sayna-sip--trunk could not be provisioned: LiveKit does not accept the API key and " +
        "secret (HTTP 401). Check livekit.api_key and livekit.api_secret (LIVEKIT_API_KEY, LIVEKIT_API_SECRET) against " +
        "LiveKit's keys.",
    );
  });

  test("is told from LiveKit's own words: no Redis", async () => {
    const livekit = await startLiveKit();
    livekit.state.redis = false;
    const { error: ended, waited } = await runToEnd(instance(livekit));
    expect(String(ended)).toContain("LiveKit runs without Redis, which its SIP service needs. Configure redis in");
    expect(waited).toEqual([]);
  });
});

describe("an unreachable LiveKit", () => {
  test("is tried for 60 s with growing waits, and then given up", async () => {
    const livekit = await startLiveKit();
    await livekit.stop();
    const started = instance(livekit);
    const { error: ended, waited } = await runToEnd(started);
    expect(waited).toEqual([1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
    expect(String(ended)).toBe(
      "ProvisioningError: SIP trunk sayna-sip--trunk could not be provisioned: LiveKit is unreachable (ECONNREFUSED), for " +
        "60 s now. Check that LiveKit runs and that livekit.url (LIVEKIT_URL) is its address, and start again.",
    );
    expect(messages(started, "warn").length).toBe(7);
  });

  test("that takes connections and stays silent is given up after 60 s, too", async () => {
    const livekit = await startLiveKit();
    const started = instance(livekit);
    const from = started.clock.now();
    livekit.inject({ times: Infinity, at: "request", run: () => tenSecondsPass(started.clock) });
    const { error: ended, waited } = await runToEnd(started);
    expect(waited).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(started.clock.now() - from).toBe(65_000);
    expect(String(ended)).toContain("LiveKit is unreachable (no answer within 10 s), for 60 s now.");
  });

  test("is waited for as long as it comes back in time, and the state says why it takes so long", async () => {
    const livekit = await startLiveKit();
    const { provisioner, clock } = instance(livekit);
    livekit.inject({ times: 6, at: "request", drop: true });
    const end = provisioner.run();
    await until(() => clock.waits[0] === 1_000);
    expect(provisioner.state()).toEqual({ kind: "running", problem: "LiveKit is unreachable (ECONNRESET)" });
    for (const wait of [1_000, 2_000, 4_000, 8_000, 15_000, 15_000]) {
      await until(() => clock.waits[0] === wait);
      await clock.turn(wait);
    }
    await end;
    expect(provisioner.state().kind).toBe("done");
    onlyOne(livekit);
  });

  test("an answer just within 10 s is waited for", async () => {
    const livekit = await startLiveKit();
    const started = instance(livekit);
    livekit.inject({ at: "answer", run: () => started.clock.turn(9_999) });
    await started.provisioner.run();
    expect(messages(started, "warn")).toEqual([]);
  });
});

describe("stop()", () => {
  test("during a wait ends the run, which fails nobody", async () => {
    const livekit = await startLiveKit();
    const { provisioner, clock } = instance(livekit);
    livekit.inject({ times: Infinity, at: "request", answer: { status: 503, body: "" } });
    const end = provisioner.run();
    await until(() => clock.waits[0] === 1_000);
    provisioner.stop();
    await end;
    expect(provisioner.state()).toEqual({ kind: "stopped" });
    expect(clock.waits).toEqual([]);
    expect(livekit.requests.length).toBe(1);
  });

  test("during a request ends it", async () => {
    const livekit = await startLiveKit();
    const { provisioner, clock } = instance(livekit);
    livekit.inject({ at: "request", run: () => new Promise(() => {}) });
    const end = provisioner.run();
    await until(() => livekit.requests.length === 1);
    provisioner.stop();
    await end;
    expect(provisioner.state()).toEqual({ kind: "stopped" });
    expect(clock.waits).toEqual([]);
  });

  test("before the run keeps it from beginning, after it changes nothing", async () => {
    const livekit = await startLiveKit();
    const never = instance(livekit);
    never.provisioner.stop();
    await never.provisioner.run();
    expect(livekit.requests).toEqual([]);
    const done = await provisioned(livekit);
    done.provisioner.stop();
    expect(done.provisioner.state().kind).toBe("done");
  });
});

describe("secrets", () => {
  test("the API secret, tokens and the trunk's password are in no log line and no error", async () => {
    const livekit = await startLiveKit();
    const planted = "password-that-somebody-set";
    await provisioned(livekit);
    for (const trunk of livekit.state.trunks.values()) Object.assign(trunk, { auth_password: planted });
    const started: Instance[] = [];
    const endings: unknown[] = [];
    const token = { status: 500, body: error("internal", "bad token eyJhbGciOiJI.eyJzaXAi.c2lnbmF0dXJl here") };
    const faults: Fault[] = [
      { at: "request", answer: { status: 401, body: `invalid token: eyJhbGciOiJI.eyJzaXAi.c2lnbmF0dXJl, error: x` } },
      { at: "request", answer: token, times: 8 },
      { at: "request", drop: true },
    ];
    for (const fault of faults) {
      const next = instance(livekit, { hostHeaders: ["X-To-IP"], maxParticipants: started.length + 4 });
      livekit.inject(fault);
      started.push(next);
      endings.push((await runToEnd(next)).error);
    }
    const shown =
      started.map(({ log }) => `${log.text()}${Bun.inspect(log.lines, { depth: 9 })}`).join() + Bun.inspect(endings);
    expect(shown).toContain("ProvisioningError");
    expect(shown).toContain("bad token [token] here");
    for (const secret of [API_SECRET, planted, "eyJ", "c2lnbmF0dXJl"]) expect(shown).not.toContain(secret);
  });
});
