import { describe, expect, test } from "bun:test";
import type { DeliveryView } from "../../../src/contracts/history";
import type { Outage } from "../../../src/domain/breaker";
import { eventId, hookIdFrom, roomSid } from "../../../src/domain/ids";
import { showNextTry } from "../../../plugins/history/next-try";

const HOOK = hookIdFrom("a");
const DUE = Date.parse("2026-11-21T22:50:05Z");
const due = { next_try: "2026-11-21T22:50:05.000Z" };

const waiting: DeliveryView = {
  id: 1,
  state: "pending",
  hook: { id: HOOK, host: "a.example.com", authId: "a" },
  roomSid: roomSid("RM_a"),
  roomName: "sip-a",
  eventId: eventId("EV_a"),
  eventName: "room_started",
  receivedAt: 0,
  madeAt: 0,
  settledAt: undefined,
  reason: undefined,
  attempts: 1,
  replay: false,
  nextTry: DUE,
  waitsFor: undefined,
  replayedBy: undefined,
};

type Case = {
  readonly delivery?: Partial<DeliveryView>;
  readonly paused?: true;
  readonly outage?: Pick<Outage, "nextProbe">;
};

function show({ delivery, paused, outage }: Case) {
  return showNextTry(
    { ...waiting, ...delivery },
    {
      pausedHook: (id) => (paused && id === HOOK ? { hook: id, reason: "paused by an operator", since: 0 } : undefined),
      breakerOf: (id) =>
        outage && id === HOOK ? { reason: "5 attempts in a row failed", since: 0, ...outage } : undefined,
    },
  );
}

const behind = { nextTry: undefined, waitsFor: 7 };
const breaker = { delayed_by: "breaker" };
const pause = { delayed_by: "pause" };

describe("the next try", () => {
  test.each<[string, Case, object]>([
    ["is its due time", {}, due],
    ["is none behind another delivery", { delivery: behind }, {}],
    ["is none while its hook is paused", { paused: true }, pause],
    [
      "is none while its hook is paused, whatever its breaker says",
      { paused: true, outage: { nextProbe: DUE } },
      pause,
    ],
    [
      "is that of a later probe",
      { outage: { nextProbe: DUE + 2_000 } },
      { next_try: "2026-11-21T22:50:07.000Z", ...breaker },
    ],
    [
      "is that of an earlier probe, which takes what is not due",
      { outage: { nextProbe: DUE - 4_000 } },
      { next_try: "2026-11-21T22:50:01.000Z", ...breaker },
    ],
    ["is not known while a probe is under way", { outage: { nextProbe: undefined } }, breaker],
    [
      "is none behind another delivery, whatever the breaker says",
      { delivery: behind, outage: { nextProbe: DUE } },
      breaker,
    ],
    ["is none of what has ended", { delivery: { state: "dead", nextTry: undefined }, paused: true }, {}],
  ])("%s", (_, given, shown) => {
    expect(show(given)).toEqual(shown as ReturnType<typeof show>);
  });
});
