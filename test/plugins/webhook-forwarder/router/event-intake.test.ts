import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { HookRegistry } from "../../../../plugins/hooks-store";
import { createSqliteStorage } from "../../../../plugins/storage/sqlite";
import { exactHost } from "../../../../plugins/webhook-forwarder/matchers/exact-host";
import { wildcardHost } from "../../../../plugins/webhook-forwarder/matchers/wildcard-host";
import { createAsking, createEventIntake, type EventIntake } from "../../../../plugins/webhook-forwarder/router";
import { fixed } from "../../../../src/contracts/current";
import type { MatchAnswer, Matcher } from "../../../../src/contracts/matcher";
import type { OwnerTask, Storage } from "../../../../src/contracts/storage";
import { AppError } from "../../../../src/domain/errors";
import { hookId, type Hook } from "../../../../src/domain/hook";
import type { HookId } from "../../../../src/domain/ids";
import type { JsonObject } from "../../../../src/domain/json";
import { ManualClock, settle } from "../../../support/manual-clock";
import { recordingLog } from "../../../support/recording-log";
import { temporaryDirectory } from "../../../support/server-process";
import { policy } from "../../../support/policy";
import { caller, pattern, webhookJson } from "../../../support/webhooks";

const configHook = (host: string, authId?: string): Hook => ({
  id: hookId(pattern(host), authId),
  host: pattern(host),
  url: "https://hooks.example/",
  source: "config",
  ...(authId === undefined ? {} : { authId }),
});

const exact = configHook("a.example.com", "tenant-a");
const wide = configHook("*.example.com", "tenant-w");
const narrow = configHook("*.b.example.com", "tenant-b");

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let clock: ManualClock;
let log: ReturnType<typeof recordingLog>;
let storage: Storage;
let intake: EventIntake;
let woken: HookId[];
let tasks: OwnerTask[];

beforeEach(async () => {
  directory = await temporaryDirectory();
  clock = new ManualClock();
  log = recordingLog();
  storage = createSqliteStorage({ dataDir: directory.path, clock, log });
  await build();
});

afterEach(async () => {
  intake.stop();
  await storage.close();
  await directory.remove();
});

async function build(
  hooks: readonly Hook[] = [exact, wide, narrow],
  matchers: readonly Matcher[] = [exactHost, wildcardHost],
) {
  woken = [];
  tasks = [];
  const registry = await HookRegistry.load({ configHooks: hooks, policy, storage, clock, log });
  intake = createEventIntake({
    roomPrefix: "sip-",
    matching: fixed({
      hostHeaders: ["To"],
      setRoomOwner: true,
      matchers,
      asking: createAsking({ clock, log, deadlineMs: 2_000, history: storage }),
    }),
    registry,
    storage,
    clock,
    log,
    onDeliveries: (ids) => woken.push(...ids),
    onOwnerTask: (task) => tasks.push(task),
    onRoomFinished: () => {},
  });
  intake.start();
}

async function take(json: JsonObject): Promise<void> {
  await intake.take({ json, body: Buffer.from(JSON.stringify(json)), contentType: "application/webhook+json" });
}

const joined = (to: string, sid = "PA_1") => webhookJson("participant_joined", { participant: caller(sid, to) });
const messages = () => log.lines.filter(({ level }) => level !== "info").map(({ message }) => message);

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
    expect(woken).toEqual([hook.id]);
    expect(tasks).toEqual([
      { roomSid: "RM_1", roomName: "sip-1", authId: hook.authId ?? "" },
    ] as unknown as OwnerTask[]);
  });

  test("they are asked in their order: with the wildcard first it wins", async () => {
    await build([exact, wide], [wildcardHost, exactHost]);
    await take(joined("a.example.com"));
    expect(woken).toEqual([wide.id]);
  });

  test("only a participant of kind SIP speaks for a host", async () => {
    const { kind: _, ...standard } = caller("PA_1", "a.example.com");
    for (const participant of [standard, { ...standard, kind: "AGENT" }, { ...standard, kind: "sip" }]) {
      await take(webhookJson("participant_joined", { participant }));
    }
    expect(woken).toEqual([]);
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
    await build([exact], [moody, exactHost]);
    await take(joined("a.example.com"));
    expect(woken).toEqual([]);
    expect(messages().some((message) => message.startsWith("A matcher failed"))).toBe(true);
    broken = false;
    await take(webhookJson("participant_left", { participant: caller("PA_1", "a.example.com") }));
    expect(woken).toEqual([exact.id]);
    expect(await storage.listUnmatched(clock.now())).toEqual([]);
  });

  test("'none' ends the asking", async () => {
    await build([exact], [{ name: "nobody", match: () => ({ kind: "none" }) }, exactHost]);
    await take(joined("a.example.com"));
    expect(woken).toEqual([]);
    expect(messages()).toContain("No SIP hook matches the called host; the event is kept");
  });
});

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
      const { deliveries } = await storage.claim(hook.id, { now: clock.now(), limit: 10, busy: new Set() });
      const [delivery] = deliveries;
      if (delivery === undefined) return sent;
      sent.push(delivery.eventName);
      await storage.settle([{ delivery, at: clock.now(), attempt: undefined, outcome: { kind: "delivered" } }]);
    }
  };

  beforeEach(async () => {
    asked = [];
    await build([exact, wide], [slow]);
  });

  test("holds up its room's later events, and no other room's: they are kept in the order of their arrival", async () => {
    const events = [
      take(webhookJson("room_started")),
      take(joined("a.example.com")),
      take(webhookJson("track_published", { participant: { sid: "PA_1" } })),
    ];
    const other = take(webhookJson("room_started", { room: { sid: "RM_2", name: "sip-2" } }));
    await Promise.all([events[0], other]);
    expect(intake.counts.kept).toBe(2);
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
    expect(intake.counts.kept).toBe(0);
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
    await clock.turn(2_000);
    await Promise.all(both);
    expect(await names(exact)).toEqual(["participant_joined", "participant_left"]);
  });

  test("a repetition of an event that is still asked about adds nothing", async () => {
    const json = joined("a.example.com");
    const both = [take(json), take(json)];
    await settle();
    for (const { answer } of asked) answer({ kind: "hook", hook: exact });
    await Promise.all(both);
    expect(intake.counts).toMatchObject({ kept: 1, duplicate: 1 });
    expect(await names(exact)).toEqual(["participant_joined"]);
  });

  test("without an answer the event is kept at the deadline, held, and goes out with the next one that has an answer", async () => {
    const first = take(joined("a.example.com"));
    await clock.turn(2_000);
    await first;
    expect(intake.counts.kept).toBe(1);
    expect(woken).toEqual([]);
    const second = take(webhookJson("participant_left", { participant: caller("PA_1", "a.example.com") }));
    await settle();
    asked[1]?.answer({ kind: "hook", hook: exact });
    await second;
    expect(await names(exact)).toEqual(["participant_joined", "participant_left"]);
  });

  test("a hook that is deleted meanwhile gets nothing: its deliveries are cancelled, where they can be seen", async () => {
    const registry = await HookRegistry.load({ configHooks: [wide], policy, storage, clock, log });
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
    intake.stop();
    intake = createEventIntake({
      roomPrefix: "sip-",
      matching: fixed({
        hostHeaders: ["To"],
        setRoomOwner: true,
        matchers: [holding],
        asking: createAsking({ clock, log, deadlineMs: 2_000, history: storage }),
      }),
      registry,
      storage,
      clock,
      log,
      onDeliveries: () => {},
      onOwnerTask: () => {},
      onRoomFinished: () => {},
    });
    const taking = take(joined("a.example.com"));
    await settle();
    await registry.change({ role: "operator", id: "ops" }, [exact.host], () => [{ host: exact.host }]);
    released.resolve();
    await taking;
    expect(await names(hook)).toEqual([]);
    const { entries } = await storage.deliveries({ viewer: "operator" }, { limit: 10 });
    expect(entries.map(({ state, eventName }) => `${eventName} ${state}`)).toEqual(["participant_joined cancelled"]);
  });

  test("what waits for matchers is bounded as what waits for the disk is", async () => {
    const body = new Uint8Array(1024 * 1024);
    const waiting = Array.from({ length: 65 }, (_, i) => {
      const room = { sid: `RM_${i}`, name: `sip-${i}` };
      const json = webhookJson("participant_joined", { room, participant: caller(`PA_${i}`, "a.example.com") });
      return intake.take({ json, body, contentType: "x" }).then(
        () => 200,
        (error: AppError) => error.status,
      );
    });
    await clock.turn(2_000);
    expect((await Promise.all(waiting)).filter((status) => status === 503)).toHaveLength(1);
  });
});

describe("what is unmatched", () => {
  test("seed: the omission is logged, with the host, and answered all the same; it is listed after 30 s", async () => {
    await take(joined("unknown.example.org"));
    expect(log.lines.at(-1)).toMatchObject({ level: "warn", fields: { host: "unknown.example.org" } });
    await clock.turn(29_000);
    expect(messages()).toHaveLength(1);
    await clock.turn(2_000);
    expect(log.lines.at(-1)).toMatchObject({ level: "warn", fields: { room: "sip-1", events: 1 } });
    await clock.turn(60_000);
    expect(messages()).toHaveLength(2);
  });

  test("goes out, in order, when a caller of the same room comes after a minute", async () => {
    await take(webhookJson("room_started"));
    await clock.turn(60_000);
    await take(joined("a.example.com"));
    expect(woken).toEqual([exact.id]);
    const { deliveries } = await storage.claim(exact.id, { now: clock.now(), limit: 1, busy: new Set() });
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
    expect(intake.counts.notSip).toBe(1);
    expect(await storage.listUnmatched(clock.now())).toEqual([]);
  });

  test("with an empty table nothing is stored either", async () => {
    await build([]);
    await take(joined("a.example.com"));
    expect(intake.counts.noHooks).toBe(1);
    expect(await storage.listUnmatched(clock.now())).toEqual([]);
  });

  test.each([
    ["egressInfo", { event: "egress_started", egressInfo: { roomId: "RM_1", roomName: "sip-1" } }],
    ["ingressInfo", { event: "ingress_started", ingressInfo: { roomName: "sip-1", state: { roomId: "RM_1" } } }],
    ["job", { event: "agent_job_started", job: { room: { sid: "RM_1", name: "sip-1" } } }],
  ])("but events that name their room in %s follow their call", async (_, members) => {
    await take(joined("a.example.com"));
    await take({ id: `EV_${members.event}`, createdAt: "1", ...members });
    expect(woken).toEqual([exact.id, exact.id]);
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
    expect(intake.counts.kept).toBe(1);
  });

  test("the same body without an id is known again", async () => {
    const json = webhookJson("room_started", { id: undefined });
    await take(json);
    await take(json);
    expect(intake.counts).toMatchObject({ kept: 1, duplicate: 1 });
  });
});

describe("a storage that cannot commit", () => {
  const refusal = async (json: JsonObject) => {
    const error = await take(json).catch((thrown: unknown) => thrown);
    return error instanceof AppError ? [error.status, error.headers["retry-after"]] : error;
  };

  test("503 with a Retry-After that grows with each refusal of the same event: 1, 2, 8, 15 s", async () => {
    storage.commit = () => Promise.reject(new Error("SQLITE_FULL"));
    const json = joined("a.example.com");
    for (const seconds of ["1", "2", "8", "15", "15"]) expect(await refusal(json)).toEqual([503, seconds]);
    expect(await refusal(joined("a.example.com", "PA_2"))).toEqual([503, "1"]);
    expect(intake.counts.refused).toBe(6);
  });

  test("an event that was refused a minute ago begins anew, and one that can be kept is kept", async () => {
    const { commit } = storage;
    storage.commit = () => Promise.reject(new Error("SQLITE_FULL"));
    const json = joined("a.example.com");
    await refusal(json);
    await clock.turn(60_000);
    expect(await refusal(json)).toEqual([503, "1"]);
    storage.commit = commit;
    await take(json);
    expect(woken).toEqual([exact.id]);
  });

  test("more waiting events than memory allows are refused", async () => {
    storage.commit = () => new Promise(() => {});
    const body = new Uint8Array(1024 * 1024);
    const waiting = Array.from({ length: 64 }, (_, i) =>
      intake.take({ json: joined("a.example.com", `PA_${i}`), body, contentType: "x" }),
    );
    void Promise.allSettled(waiting);
    expect(await refusal(joined("a.example.com", "PA_last"))).toEqual([503, "1"]);
  });
});

describe("freshness", () => {
  const now = () => String(Math.floor(clock.now() / 1000));

  test("events that are kept are measured, repetitions and other rooms' are not", async () => {
    const json = webhookJson("room_started", { createdAt: now() });
    await take(json);
    await take(json);
    await take(webhookJson("room_started", { room: { sid: "RM_9", name: "meeting" } }));
    expect(intake.freshness()).toMatchObject({ arrived: 1, late: 0 });
  });

  test("one that is refused again and again is warned of while LiveKit still tries", async () => {
    const { commit } = storage;
    storage.commit = () => Promise.reject(new Error("SQLITE_FULL"));
    const json = webhookJson("room_started", { createdAt: now() });
    for (const wait of [1, 2, 8, 0]) {
      await take(json).catch(() => {});
      await clock.turn(wait * 1000);
    }
    expect(log.lines.filter(({ level }) => level === "warn")).toMatchObject([{ fields: { refused_ms: 11_000 } }]);
    storage.commit = commit;
    await take(json);
    expect(intake.freshness()).toMatchObject({ arrived: 1, refusedLong: 1, givenUp: 0, mostLate: 0 });
  });
});
