import { describe, expect, test } from "bun:test";
import { exactHost } from "../../../../plugins/webhook-forwarder/matchers/exact-host";
import { wildcardHost } from "../../../../plugins/webhook-forwarder/matchers/wildcard-host";
import type { Matcher } from "../../../../src/contracts/matcher";
import type { OwnerTask } from "../../../../src/contracts/storage";
import { caller, webhookJson } from "../../../support/webhooks";
import { exact, intakeUnderTest, joined, narrow, wide } from "./intake-under-test";

const under = intakeUnderTest();
const { take, messages } = under;

describe("matchers", () => {
  test.each([
    ["a.example.com", exact],
    ["A.EXAMPLE.com:5060", exact],
    ["x.example.com", wide],
    ["x.y.example.com", wide],
    ["x.b.example.com", narrow],
    ["b.example.com", wide],
  ])("seed: a call to %s goes to the exact host whatever its case, else to the longest wildcard", async (to, hook) => {
    await take(joined(to));
    expect(under.woken).toEqual([hook.id]);
    expect(under.tasks).toEqual([
      { roomSid: "RM_1", roomName: "sip-1", authId: hook.authId ?? "" },
    ] as unknown as OwnerTask[]);
  });

  test("they are asked in their order: with the wildcard first it wins", async () => {
    await under.build([exact, wide], [wildcardHost, exactHost]);
    await take(joined("a.example.com"));
    expect(under.woken).toEqual([wide.id]);
  });

  test("only a participant of kind SIP speaks for a host", async () => {
    const { kind: _, ...standard } = caller("PA_1", "a.example.com");
    for (const participant of [standard, { ...standard, kind: "AGENT" }, { ...standard, kind: "sip" }]) {
      await take(webhookJson("participant_joined", { participant }));
    }
    expect(under.woken).toEqual([]);
  });

  test("one that throws leaves the caller undecided: its events are held, and the next one is asked about again", async () => {
    let broken = true;
    const moody: Matcher = {
      name: "moody",
      match: ({ hooks, called: { host } }) => {
        if (broken) throw new Error("look-up failed");
        const hook = host === undefined ? undefined : hooks.exact(host);
        return hook === undefined ? { kind: "none" } : { kind: "hook", hook };
      },
    };
    await under.build([exact], [moody, exactHost]);
    await take(joined("a.example.com"));
    expect(under.woken).toEqual([]);
    expect(messages().some((message) => message.startsWith("A matcher failed"))).toBe(true);
    broken = false;
    await take(webhookJson("participant_left", { participant: caller("PA_1", "a.example.com") }));
    expect(under.woken).toEqual([exact.id]);
    expect(await under.storage.listUnmatched(under.clock.now())).toEqual([]);
  });

  test("'none' ends the asking", async () => {
    await under.build([exact], [{ name: "nobody", match: () => ({ kind: "none" }) }, exactHost]);
    await take(joined("a.example.com"));
    expect(under.woken).toEqual([]);
    expect(messages()).toContain("No SIP hook matches the called host; the event is kept");
  });
});

describe("what is unmatched", () => {
  test("seed: the omission is logged, with the host, and answered all the same; it is listed after 30 s", async () => {
    await take(joined("unknown.example.org"));
    expect(under.log.lines.at(-1)).toMatchObject({ level: "warn", fields: { host: "unknown.example.org" } });
    await under.clock.turn(29_000);
    expect(messages()).toHaveLength(1);
    await under.clock.turn(2_000);
    expect(under.log.lines.at(-1)).toMatchObject({ level: "warn", fields: { room: "sip-1", events: 1 } });
    await under.clock.turn(60_000);
    expect(messages()).toHaveLength(2);
  });

  test("goes out, in order, when a caller of the same room comes after a minute", async () => {
    await take(webhookJson("room_started"));
    await under.clock.turn(60_000);
    await take(joined("a.example.com"));
    expect(under.woken).toEqual([exact.id]);
    const { deliveries } = await under.storage.claim(exact.id, { now: under.clock.now(), limit: 1, busy: new Set() });
    expect(deliveries[0]?.eventName).toBe("room_started");
  });
});

describe("what is not for SIP", () => {
  test.each([
    ["another room", { room: { sid: "RM_1", name: "meeting-sip-" } }],
    ["no room", { room: undefined }],
    ["a room that is a text", { room: "sip-1" }],
    ["a room name that is a number", { room: { name: 5 } }],
  ])("%s: counted, not stored", async (_, members) => {
    await take(webhookJson("room_started", members));
    expect(under.intake.counts.notSip).toBe(1);
    expect(await under.storage.listUnmatched(under.clock.now())).toEqual([]);
  });

  test("with an empty table nothing is stored either", async () => {
    await under.build([]);
    await take(joined("a.example.com"));
    expect(under.intake.counts.noHooks).toBe(1);
    expect(await under.storage.listUnmatched(under.clock.now())).toEqual([]);
  });

  test.each([
    ["egressInfo", { event: "egress_started", egressInfo: { roomId: "RM_1", roomName: "sip-1" } }],
    ["ingressInfo", { event: "ingress_started", ingressInfo: { roomName: "sip-1", state: { roomId: "RM_1" } } }],
    ["job", { event: "agent_job_started", job: { room: { sid: "RM_1", name: "sip-1" } } }],
  ])("but events that name their room in %s follow their call", async (_, members) => {
    await take(joined("a.example.com"));
    await take({ id: `EV_${members.event}`, createdAt: "1", ...members });
    expect(under.woken).toEqual([exact.id, exact.id]);
  });
});

describe("whatever a signed JSON object says, it is taken", () => {
  test.each([
    ["an event name of the future", { event: "participant_teleported", participant: { sid: "PA_9" } }],
    ["no event name", { event: undefined }],
    ["a participant that is a number", { participant: 5 }],
    ["attributes that are a list", { participant: { sid: "PA_9", kind: "SIP", attributes: [1] } }],
    ["an id that no header may hold", { id: "a\r\nb" }],
    ["no id", { id: undefined }],
    ["a createdAt of words", { createdAt: "soon" }],
    ["a huge room name", { room: { sid: "RM_2", name: `sip-${"x".repeat(900)}` } }],
    ["a room without a sid", { room: { name: "sip-1" } }],
    ["an enum of the future", { participant: { sid: "PA_9", kind: "HOLOGRAM", attributes: { a: "b" } } }],
  ])("%s", async (_, members) => {
    await take(webhookJson("participant_joined", members));
    expect(under.intake.counts.kept).toBe(1);
  });

  test("the same body without an id is known again", async () => {
    const json = webhookJson("room_started", { id: undefined });
    await take(json);
    await take(json);
    expect(under.intake.counts).toMatchObject({ kept: 1, duplicate: 1 });
  });
});
