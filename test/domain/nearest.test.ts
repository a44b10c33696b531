import { describe, expect, test } from "bun:test";
import { nearest } from "../../src/domain/nearest";

const KEYS = [
  "room_prefix",
  "allowed_addresses",
  "max_participants",
  "provision",
  "set_room_owner",
  "host_headers",
  "matchers",
  "hook_secret",
  "hooks",
  "host",
  "url",
  "auth_id",
];

describe("the word that was probably meant", () => {
  test.each([
    ["room_prefx", "room_prefix"],
    ["roomPrefix", "room_prefix"],
    ["room-prefix", "room_prefix"],
    ["ROOM_PREFIX", "room_prefix"],
    ["allowed_address", "allowed_addresses"],
    ["max_participant", "max_participants"],
    ["hook", "hooks"],
    ["hsot", "host"],
    ["ulr", "url"],
    ["authid", "auth_id"],
    ["auth_id", "auth_id"],
  ])("for %s is %s", (word, meant) => {
    expect(nearest(word, KEYS)).toBe(meant);
  });

  test.each(["", "x", "port", "transport", "api_key", "listen", "hooks_and_many_other_things", "ゆ"])(
    "for %p is none",
    (word) => {
      expect(nearest(word, KEYS)).toBeUndefined();
    },
  );

  test("is none without known words, or when nothing of the word is right", () => {
    expect(nearest("host", [])).toBeUndefined();
    expect(nearest("a", ["b"])).toBeUndefined();
    expect(nearest("ab", ["cd"])).toBeUndefined();
  });

  test("is the closest, and the first of equally close ones", () => {
    expect(nearest("hosts", ["hooks", "host"])).toBe("host");
    expect(nearest("cat", ["bat", "hat"])).toBe("bat");
  });

  test("is not looked for when the lengths alone tell", () => {
    expect(nearest("x".repeat(10_000_000), KEYS)).toBeUndefined();
  });
});
