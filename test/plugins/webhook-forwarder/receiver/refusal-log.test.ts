import { describe, expect, test } from "bun:test";
import type { Logger } from "../../../../src/contracts/logger";
import { createRefusalLog } from "../../../../plugins/webhook-forwarder/receiver/refusal-log";
import type { TokenRefusal } from "../../../../plugins/webhook-forwarder/receiver/verify-token";

type Line = { readonly level: keyof Logger; readonly fields: object; readonly message: string };

function setUp() {
  const lines: Line[] = [];
  const write = (level: keyof Logger) => (fields: object, message: string) => {
    lines.push({ level, fields, message });
  };
  const log: Logger = { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
  const clock = { ms: 1_795_301_401_000 };
  return { lines, clock, note: createRefusalLog({ log, now: () => clock.ms }) };
}

const unknownKey: TokenRefusal = { kind: "refused", reason: "unknown-key", keyId: "otherkey" };
const expired: TokenRefusal = { kind: "refused", reason: "expired", keyId: "devkey", skewSeconds: 400 };
const early: TokenRefusal = { kind: "refused", reason: "not-yet-valid", keyId: "devkey", skewSeconds: -90 };

describe("what it says", () => {
  test("an unknown key is an error that names the key and what to set", () => {
    const { lines, note } = setUp();
    note(unknownKey);
    expect(lines).toEqual([
      {
        level: "error",
        fields: { reason: "unknown-key", keyId: "otherkey", suppressed: 0 },
        message: expect.stringMatching(/otherkey is not configured.*livekit\.api_key/),
      },
    ]);
  });

  test.each([
    [expired, /has expired; this clock is 400 s ahead of/],
    [early, /is not valid yet; this clock is 90 s behind/],
  ])("a refusal for time is an error with the skew: %j", (refusal, message) => {
    const { lines, note } = setUp();
    note(refusal);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: "error", message: expect.stringMatching(message) });
    expect(lines[0]?.fields).toMatchObject({
      keyId: "devkey",
      skewSeconds: "skewSeconds" in refusal ? refusal.skewSeconds : 0,
    });
  });

  test.each<TokenRefusal>([
    { kind: "refused", reason: "missing" },
    { kind: "refused", reason: "malformed" },
    { kind: "refused", reason: "algorithm" },
    { kind: "refused", reason: "claims" },
    { kind: "refused", reason: "signature", keyId: "devkey" },
    { kind: "refused", reason: "body-hash", keyId: "devkey" },
  ])("any other refusal is a warning: %j", (refusal) => {
    const { lines, note } = setUp();
    note(refusal);
    expect(lines.map(({ level }) => level)).toEqual(["warn"]);
  });
});

describe("how often", () => {
  test("one line per reason in 10 s, and the next one says how many were left out", () => {
    const { lines, clock, note } = setUp();
    for (let sent = 0; sent < 500; sent += 1) note(unknownKey);
    clock.ms += 9_999;
    note(unknownKey);
    expect(lines).toHaveLength(1);
    clock.ms += 1;
    note(unknownKey);
    expect(lines.map(({ fields }) => fields)).toMatchObject([{ suppressed: 0 }, { suppressed: 500 }]);
    clock.ms += 10_000;
    note(unknownKey);
    expect(lines.at(-1)?.fields).toMatchObject({ suppressed: 0 });
  });

  test("one reason never silences another", () => {
    const { lines, note } = setUp();
    note(unknownKey);
    note(expired);
    note(early);
    expect(lines).toHaveLength(3);
  });

  test("a clock that is set back does not silence it", () => {
    const { lines, clock, note } = setUp();
    note(expired);
    clock.ms -= 3_600_000;
    note(expired);
    expect(lines).toHaveLength(2);
  });
});
