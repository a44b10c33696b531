import { beforeEach, describe, expect, test } from "bun:test";
import type { MatchAnswer, Matcher } from "../../../../src/contracts/matcher";
import type { AppError } from "../../../../src/domain/errors";
import type { Hook } from "../../../../src/domain/hook";
import { settle } from "../../../support/manual-clock";
import { caller, webhookJson } from "../../../support/webhooks";
import { exact, intakeUnderTest, joined, wide } from "./intake-under-test";

const under = intakeUnderTest();
const { take } = under;

describe("a matcher that takes its time", () => {
  type Asked = { readonly sid: string; answer: (answer: MatchAnswer) => void };
  let asked: Asked[];
  const slow: Matcher = {
    name: "slow",
    match: ({ participant }) =>
      new Promise((answer) => void asked.push({ sid: participant.sid, answer: (said) => answer(said) })),
  };
  const names = async (hook: Hook) => {
    const sent: string[] = [];
    for (;;) {
      const { deliveries } = await under.storage.claim(hook.id, { now: under.clock.now(), limit: 10, busy: new Set() });
      const [delivery] = deliveries;
      if (delivery === undefined) return sent;
      sent.push(delivery.eventName);
      await under.storage.settle([
        { delivery, at: under.clock.now(), attempt: undefined, outcome: { kind: "delivered" } },
      ]);
    }
  };

  beforeEach(async () => {
    asked = [];
    await under.build([exact, wide], [slow]);
  });

  test("holds up its room's later events, and no other room's: they are kept in the order of their arrival", async () => {
    const events = [
      take(webhookJson("room_started")),
      take(joined("a.example.com")),
      take(webhookJson("track_published", { participant: { sid: "PA_1" } })),
    ];
    const other = take(webhookJson("room_started", { room: { sid: "RM_2", name: "sip-2" } }));
    await Promise.all([events[0], other]);
    expect(under.intake.counts.kept).toBe(2);
    asked[0]?.answer({ kind: "hook", hook: exact });
    await Promise.all(events);
    expect(await names(exact)).toEqual(["room_started", "participant_joined", "track_published"]);
  });

  test("of two events of one participant both are asked about at once, and the earlier one decides, whichever answer comes first", async () => {
    const both = [
      take(joined("a.example.com")),
      take(webhookJson("participant_left", { participant: caller("PA_1", "a.example.com") })),
    ];
    await settle();
    expect(asked.map(({ sid }) => sid)).toEqual(["PA_1", "PA_1"]);
    asked[1]?.answer({ kind: "hook", hook: wide });
    await settle();
    expect(under.intake.counts.kept).toBe(0);
    asked[0]?.answer({ kind: "hook", hook: exact });
    await Promise.all(both);
    expect(await names(wide)).toEqual([]);
    expect(await names(exact)).toEqual(["participant_joined", "participant_left"]);
  });

  test("when the earlier one gets no answer the later one decides for both, in their order", async () => {
    const both = [
      take(joined("a.example.com")),
      take(webhookJson("participant_left", { participant: caller("PA_1", "a.example.com") })),
    ];
    await settle();
    asked[1]?.answer({ kind: "hook", hook: exact });
    await under.clock.turn(2_000);
    await Promise.all(both);
    expect(await names(exact)).toEqual(["participant_joined", "participant_left"]);
  });

  test("a repetition of an event that is still asked about adds nothing", async () => {
    const json = joined("a.example.com");
    const both = [take(json), take(json)];
    await settle();
    for (const { answer } of asked) answer({ kind: "hook", hook: exact });
    await Promise.all(both);
    expect(under.intake.counts).toMatchObject({ kept: 1, duplicate: 1 });
    expect(await names(exact)).toEqual(["participant_joined"]);
  });

  test("without an answer the event is kept at the deadline, held, and goes out with the next one that has an answer", async () => {
    const first = take(joined("a.example.com"));
    await under.clock.turn(2_000);
    await first;
    expect(under.intake.counts.kept).toBe(1);
    expect(under.woken).toEqual([]);
    const second = take(webhookJson("participant_left", { participant: caller("PA_1", "a.example.com") }));
    await settle();
    asked[1]?.answer({ kind: "hook", hook: exact });
    await second;
    expect(await names(exact)).toEqual(["participant_joined", "participant_left"]);
  });

  test("a hook that is deleted meanwhile gets nothing: its deliveries are cancelled, where they can be seen", async () => {
    const registry = await under.registryOf([wide]);
    await registry.change({ role: "operator", id: "ops" }, [exact.host], () => [
      { host: exact.host, after: { host: exact.host, url: exact.url } },
    ]);
    const hook = registry.table.byPattern(exact.host);
    if (hook === undefined) throw new Error("it was not added");
    const released = Promise.withResolvers<void>();
    const holding: Matcher = {
      name: "holding",
      match: async ({ hooks }) => {
        const found = hooks.byHost(exact.host);
        await released.promise;
        return found === undefined ? { kind: "none" } : { kind: "hook", hook: found };
      },
    };
    under.intake.stop();
    under.buildOn(registry, [holding]);
    const taking = take(joined("a.example.com"));
    await settle();
    await registry.change({ role: "operator", id: "ops" }, [exact.host], () => [{ host: exact.host }]);
    released.resolve();
    await taking;
    expect(await names(hook)).toEqual([]);
    const { entries } = await under.storage.deliveries({ viewer: "operator" }, { limit: 10 });
    expect(entries.map(({ state, eventName }) => `${eventName} ${state}`)).toEqual(["participant_joined cancelled"]);
  });

  test("what waits for matchers is bounded as what waits for the disk is", async () => {
    const body = new Uint8Array(1024 * 1024);
    const waiting = Array.from({ length: 65 }, (_, i) => {
      const room = { sid: `RM_${i}`, name: `sip-${i}` };
      const json = webhookJson("participant_joined", { room, participant: caller(`PA_${i}`, "a.example.com") });
      return under.intake.take({ json, body, contentType: "x" }).then(
        () => 200,
        (error: AppError) => error.status,
      );
    });
    await under.clock.turn(2_000);
    expect((await Promise.all(waiting)).filter((status) => status === 503)).toHaveLength(1);
  });
});
