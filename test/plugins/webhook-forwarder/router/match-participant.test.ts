import { beforeEach, describe, expect, test } from "bun:test";
import { exactHost } from "../../../../plugins/webhook-forwarder/matchers/exact-host";
import { createAsking, type Asking } from "../../../../plugins/webhook-forwarder/router";
import { matchParticipant } from "../../../../plugins/webhook-forwarder/router/match-participant";
import type { Remembered } from "../../../../src/contracts/history";
import type { MatchAnswer, Matcher, MatchView } from "../../../../src/contracts/matcher";
import { newCall } from "../../../../src/domain/call";
import { hookId, type Hook } from "../../../../src/domain/hook";
import { HookTable } from "../../../../src/domain/hook-table";
import { participantSid, roomSid, type HookId } from "../../../../src/domain/ids";
import type { JsonObject } from "../../../../src/domain/json";
import { readLiveKitEvent } from "../../../../src/domain/livekit-event";
import { ManualClock, settle } from "../../../support/manual-clock";
import { recordingLog } from "../../../support/recording-log";
import { caller, pattern, webhookJson } from "../../../support/webhooks";

const hook = (host: string, authId: string): Hook => ({
  id: hookId(pattern(host), authId),
  host: pattern(host),
  url: "https://hooks.example/",
  source: "config",
  authId,
});

const a = hook("a.example.com", "tenant-a");
const b = hook("b.example.com", "tenant-b");
const table = new HookTable([a, b], []);
const NOT_MINE: MatchAnswer = { kind: "not-mine" };

let clock: ManualClock;
let log: ReturnType<typeof recordingLog>;
let asking: Asking;
let remembered: Remembered;
let reads: number;

beforeEach(() => {
  clock = new ManualClock();
  log = recordingLog();
  remembered = { duplicate: false, call: undefined };
  reads = 0;
  const history = {
    remembered: async () => {
      reads++;
      return remembered;
    },
  };
  asking = createAsking({ clock, log, deadlineMs: 2_000, history });
});

function ask(match: Matcher["match"] | readonly Matcher[], json: JsonObject = joined(), hooks: HookTable = table) {
  const event = readLiveKitEvent(json, new Uint8Array());
  const matchers = typeof match === "function" ? [{ name: "mine", match }, exactHost] : match;
  return matchParticipant(event, hooks, { matchers, hostHeaders: ["X-To-IP", "To"], setRoomOwner: true, asking });
}

function joined(attributes: Record<string, string> = {}): JsonObject {
  const participant = caller("PA_1", "a.example.com");
  return webhookJson("participant_joined", {
    participant: { ...participant, attributes: { ...(participant.attributes as object), ...attributes } },
  });
}

/** The view that a matcher gets. */
async function viewOf(json: JsonObject = joined()): Promise<MatchView> {
  let view: MatchView | undefined;
  await ask((shown) => {
    view = shown;
    return NOT_MINE;
  }, json);
  if (view === undefined) throw new Error("it was not asked");
  return view;
}

const lines = () => log.lines.map(({ level, fields, message }) => ({ level, message, ...fields }));

describe("an answer that is no promise", () => {
  test("makes none: the acknowledgement goes on in the same turn", () => {
    for (const match of [() => NOT_MINE, () => ({ kind: "hook", hook: b }) as const]) {
      expect(ask(match)).not.toBeInstanceOf(Promise);
    }
    expect(clock.waits).toEqual([]);
  });

  test.each([
    ["a hook", { kind: "hook", hook: b }, { kind: "hook", hook: b.id, matcher: "mine", owner: "tenant-b" }],
    ["no hook", { kind: "none" }, { kind: "none" }],
    ["not mine", NOT_MINE, { kind: "hook", hook: a.id, matcher: "exact-host", owner: "tenant-a" }],
  ] as const)("%s", (_, answer, match) => {
    expect(ask(() => answer)).toEqual({ ...match, host: "a.example.com" } as never);
  });

  test("the hook's tenant is the table's, whatever the matcher's object says", () => {
    const forged = { ...b, authId: "tenant-a" };
    expect(ask(() => ({ kind: "hook", hook: forged }))).toMatchObject({ hook: b.id, owner: "tenant-b" });
  });
});

describe("an answer that is a promise", () => {
  test("is waited for, and the matchers after it are asked in their order", async () => {
    const order: string[] = [];
    const slow = (name: string, answer: MatchAnswer): Matcher => ({
      name,
      match: async () => {
        order.push(name);
        await Promise.resolve();
        return answer;
      },
    });
    const found = ask([slow("one", NOT_MINE), slow("two", { kind: "hook", hook: b }), slow("three", NOT_MINE)]);
    expect(found).toBeInstanceOf(Promise);
    expect(await found).toMatchObject({ hook: b.id, matcher: "two" });
    expect(order).toEqual(["one", "two"]);
    expect(clock.waits).toEqual([]);
  });

  test("that is not mine leaves it to a matcher without promises", async () => {
    expect(await ask(async () => NOT_MINE)).toMatchObject({ hook: a.id, matcher: "exact-host" });
  });

  test("has until the deadline, which covers all matchers together", async () => {
    const after = (ms: number, answer: MatchAnswer): Matcher["match"] => {
      return () => new Promise((resolve) => void clock.after(ms, () => resolve(answer)));
    };
    const inTime = Promise.resolve(ask(after(1_999, { kind: "hook", hook: b })));
    await clock.turn(2_000);
    expect(await inTime).toMatchObject({ hook: b.id });
    const two = [1, 2].map((n) => ({ name: `slow-${n}`, match: after(1_500, NOT_MINE) }));
    const late = Promise.resolve(ask([...two, exactHost]));
    await clock.turn(2_000);
    expect(await late).toBeUndefined();
    expect(lines()).toMatchObject([{ level: "error", matcher: "slow-2", more: 0 }]);
    expect(lines()[0]?.message).toStartWith("A matcher had not answered at sip.matcher_deadline");
  });

  test("that comes after the deadline, or fails after it, counts no more", async () => {
    for (const end of ["resolve", "reject"] as const) {
      const late = Promise.withResolvers<MatchAnswer>();
      const found = Promise.resolve(ask(() => late.promise));
      await clock.turn(2_000);
      expect(await found).toBeUndefined();
      if (end === "resolve") late.resolve({ kind: "hook", hook: b });
      else late.reject(new Error("too late"));
      await settle();
    }
    expect(asking.failures.counts.get("mine")).toEqual({ threw: 0, late: 2, no_answer: 0 });
  });

  test("its signal is aborted at the deadline, and not when it was in time", async () => {
    const signals: AbortSignal[] = [];
    const hanging: Matcher["match"] = ({ signal }) => {
      signals.push(signal);
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
    };
    const found = Promise.resolve(ask(hanging));
    await clock.turn(1_999);
    expect(signals[0]?.aborted).toBe(false);
    await clock.turn(1);
    expect(await found).toBeUndefined();
    expect(signals[0]?.aborted).toBe(true);
    await ask(async ({ signal }) => {
      signals.push(signal);
      return NOT_MINE;
    });
    await clock.turn(5_000);
    expect(signals[1]?.aborted).toBe(false);
  });
});

test("a hook that is deleted while the matcher takes its time is still its answer, however it was found", async () => {
  class ShrinkingTable extends HookTable {
    gone = false;
    override byId(id: HookId): Hook | undefined {
      return this.gone ? undefined : super.byId(id);
    }
  }
  for (const find of [
    (view: MatchView) => view.hooks.byHost("b.example.com"),
    (view: MatchView) => view.hooks.all()[1],
  ]) {
    const shrinking = new ShrinkingTable([a, b], []);
    const match: Matcher["match"] = async (view) => {
      const found = find(view);
      await Promise.resolve();
      shrinking.gone = true;
      return found === undefined ? NOT_MINE : { kind: "hook", hook: found };
    };
    expect(await ask(match, joined(), shrinking)).toMatchObject({ hook: b.id });
  }
});

describe("a matcher that fails", () => {
  const failures: readonly (readonly [string, Matcher["match"], "threw" | "no_answer"])[] = [
    [
      "throws",
      () => {
        throw new Error("broken");
      },
      "threw",
    ],
    [
      "throws no error",
      () => {
        throw undefined;
      },
      "threw",
    ],
    ["rejects", () => Promise.reject(new Error("broken")), "threw"],
    ["answers nothing", () => undefined as never, "no_answer"],
    ["answers a hook itself", () => b as never, "no_answer"],
    ["answers a kind that there is not", () => ({ kind: "maybe" }) as never, "no_answer"],
    [
      "answers a hook that is not in the table",
      () => ({ kind: "hook", hook: hook("gone.example.com", "tenant-x") }),
      "no_answer",
    ],
    ["answers null in the place of a hook", () => ({ kind: "hook", hook: null as never }), "no_answer"],
    ["promises nothing", async () => undefined as never, "no_answer"],
  ];

  test.each(failures)(
    "%s: the participant stays undecided, and no other matcher is asked",
    async (_, match, failure) => {
      const later: string[] = [];
      const found = ask([
        { name: "mine", match },
        {
          name: "later",
          match: () => {
            later.push("asked");
            return { kind: "hook", hook: a };
          },
        },
      ]);
      expect(await found).toBeUndefined();
      expect(later).toEqual([]);
      expect(asking.failures.counts.get("mine")).toEqual({ threw: 0, late: 0, no_answer: 0, [failure]: 1 });
      expect(lines()).toMatchObject([{ level: "error", matcher: "mine", more: 0 }]);
    },
  );

  test("by the thousand is counted, and logged once a minute with how many more there were", async () => {
    const fail = () =>
      ask(() => {
        throw new Error("broken");
      });
    for (let i = 0; i < 3_000; i++) await fail();
    expect(lines()).toHaveLength(1);
    await clock.turn(60_000);
    await fail();
    expect(lines()[1]).toMatchObject({ matcher: "mine", more: 2_999 });
    expect(asking.failures.counts.get("mine")?.threw).toBe(3_001);
  });
});

describe("the view", () => {
  test("has the called address of the first header that parses, and the number", async () => {
    const { called, participant } = await viewOf(
      joined({ "sip.ruleID": "SDR_1", "sip.trunkPhoneNumber": "+1 (555) 765", "sip.h.x-to-ip": "b.example.com:5061" }),
    );
    expect({ host: called.host as string, user: called.user, number: called.number }).toEqual({
      host: "b.example.com",
      user: undefined,
      number: "+1555765",
    });
    expect(participant).toMatchObject({ sid: "PA_1" as never, identity: "sip_PA_1" });
    expect((await viewOf()).called).toMatchObject({ host: "a.example.com" as never, user: "+1555", number: undefined });
  });

  test("finds hooks by a host in any case, by host and wildcard, and all", async () => {
    const { hooks } = await viewOf();
    expect(hooks.byHost("B.Example.Com")?.id).toBe(b.id);
    expect(hooks.byHost("no host")).toBeUndefined();
    expect(hooks.all().map(({ id }) => id)).toEqual([a.id, b.id]);
  });

  test("cannot be changed for the matchers, the storage and the history behind it", async () => {
    const { event, participant } = await viewOf();
    const change = (target: object) => () => Object.assign(target, { sid: "PA_other", "sip.h.to": "b.example.com" });
    for (const target of [event, event.subject, participant, participant.attributes]) expect(change(target)).toThrow();
  });

  test("reads what is remembered when it is asked for, once, and gives a copy", async () => {
    const memory = { ...newCall(roomSid("RM_1"), "sip-1"), hooks: [a.id] };
    const participants = new Map([[participantSid("PA_0"), { kind: "hook", hook: a.id } as const]]);
    remembered = { duplicate: false, call: { memory: { ...memory, participants }, all: [], held: [] } };
    await viewOf();
    expect(reads).toBe(0);
    const view = await viewOf();
    const { remembered: read } = view;
    const known = await read();
    expect(await read()).toEqual(known);
    expect(reads).toBe(1);
    expect(known).toMatchObject({ roomSid: "RM_1" as never, hooks: [a.id] });
    if (known?.participants instanceof Map) known.participants.clear();
    expect(known?.participants.size).toBe(0);
    expect(participants.size).toBe(1);
  });
});

test("nobody is asked about an event that does not speak for a host", () => {
  const never = () => {
    throw new Error("asked");
  };
  for (const json of [webhookJson("room_started"), webhookJson("track_published", { participant: { sid: "PA_1" } })]) {
    expect(ask(never, json)).toBeUndefined();
  }
  expect(asking.failures.counts.size).toBe(0);
});
