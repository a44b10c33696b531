import { describe, expect, test } from "bun:test";
import { effectivePolicy, fitsPattern, maxAgeOf, wantsEvent } from "../../src/domain/delivery-policy";
import { fitsKnownEvent, KNOWN_EVENTS } from "../../src/domain/event-names";
import { policy } from "../support/policy";

test.each([
  ["participant_joined", "participant_joined", true],
  ["participant_joined", "participant_joined_", false],
  ["participant_*", "participant_joined", true],
  ["participant_*", "participant_", true],
  ["participant_*", "a_participant_joined", false],
  ["*", "", true],
  ["*", "anything", true],
  ["*_ended", "egress_ended", true],
  ["*_ended", "egress_ended_", false],
  ["a*b", "ab", true],
  ["a*a", "a", false],
  ["*job*ed", "agent_job_started", true],
  ["*ed*ed", "ended_ed", true],
  ["**", "x", true],
])("the pattern %p and the name %p: %p", (pattern, name, fits) => {
  expect(fitsPattern(pattern, name)).toBe(fits);
});

test("a hook wants the events that one of its patterns fits", () => {
  const wants = (name: string) => wantsEvent({ events: ["room_*", "participant_joined"] }, name);
  expect(["room_finished", "participant_joined", "participant_left"].map(wants)).toEqual([true, true, false]);
});

test("what a hook has of its own replaces single settings", () => {
  expect(effectivePolicy(policy, { rate: 5, schedule: [1] })).toEqual({ ...policy, rate: 5, schedule: [1] });
  expect(effectivePolicy(policy, undefined)).toEqual(policy);
});

describe("the maximum age of an event", () => {
  const expiry = [
    { events: "track_published", after: 1_000 },
    { events: "track_*", after: 60_000 },
    { events: "room_*", after: policy.maxAge * 2 },
  ];

  test.each([
    ["track_published", 1_000],
    ["track_unpublished", 60_000],
    ["participant_joined", policy.maxAge],
    ["room_finished", policy.maxAge],
  ])("%s: of the first entry that fits, and never above max_age", (name, age) => {
    expect(maxAgeOf({ ...policy, expiry }, name)).toBe(age);
  });
});

test("a pattern that fits nothing that LiveKit sends is known as such", () => {
  expect(KNOWN_EVENTS.every(fitsKnownEvent)).toBe(true);
  expect(["*", "egress_*", "*joined"].every(fitsKnownEvent)).toBe(true);
  expect(["participant_join", "tracks_*", ""].some(fitsKnownEvent)).toBe(false);
});
