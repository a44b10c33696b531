import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HookRegistry } from "../../../../plugins/hooks-store/hook-registry";
import { createSqliteStorage } from "../../../../plugins/storage/sqlite";
import { createDispatcher, type Dispatcher } from "../../../../plugins/webhook-forwarder/dispatcher/create-dispatcher";
import type { SendRequest, SendResult } from "../../../../src/contracts/sender";
import type { Storage } from "../../../../src/contracts/storage";
import { hookId, type Hook } from "../../../../src/domain/hook";
import { Secret } from "../../../../src/domain/secret";
import { ManualClock, settle } from "../../../support/manual-clock";
import { recordingLog } from "../../../support/recording-log";
import { policy } from "../../../support/policy";
import { incoming, matchOf, pattern, webhookJson } from "../../../support/webhooks";

const hookA: Hook = {
  id: hookId(pattern("a.example.com"), "tenant-a"),
  host: pattern("a.example.com"),
  url: "https://a.example/hook",
  authId: "tenant-a",
  source: "config",
};
const hookB: Hook = {
  ...hookA,
  id: hookId(pattern("b.example.com"), "tenant-b"),
  host: pattern("b.example.com"),
  url: "https://b.example/hook",
};

let dataDir: string;
let clock: ManualClock;
let storage: Storage;
let dispatcher: Dispatcher;
let registry: HookRegistry;
let log: ReturnType<typeof recordingLog>;
/** What was sent, in order; each waits for its answer. */
let sent: { request: SendRequest; name: string; reply: (result: SendResult) => void }[];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "sayna-sip-"));
  clock = new ManualClock();
  log = recordingLog();
  storage = createSqliteStorage({ dataDir, clock, log });
  await build();
});

afterEach(async () => {
  await storage.close();
  await rm(dataDir, { recursive: true });
});

async function build(): Promise<void> {
  sent = [];
  const own = { ...policy, schedule: [1000, 5000], maxAge: 3_000_000, concurrency: 2 };
  registry = await HookRegistry.load({ configHooks: [hookA, hookB], policy: own, storage, clock, log });
  dispatcher = createDispatcher({
    storage,
    registry,
    clock,
    log,
    random: () => 0.5,
    concurrency: { total: 6 },
    hookSecrets: () => ({ hookSecret: { kind: "literal", value: new Secret("shared") } }),
    sender: {
      send: (request) =>
        new Promise((reply) => {
          const name = String(JSON.parse(Buffer.from(request.body).toString()).event);
          sent.push({ request, name, reply });
        }),
      close: () => {},
    },
  });
  await dispatcher.start();
  await settle();
}

/** Keeps events of a call and tells the dispatcher, as the intake does. */
async function call(sid: string, hook: Hook, names: string[]): Promise<void> {
  const room = { sid, name: "sip-1" };
  const participant = { sid: `PA_${sid}`, kind: "SIP", attributes: { "sip.callID": "1" } };
  const events = names.map((name) => incoming(webhookJson(name, { room, participant }), matchOf(hook.id), clock.now()));
  await storage.commit(events, registry.planDelivery);
  dispatcher.wake([hook.id]);
  await settle();
}

function answered(status: number, retryAfter?: string): SendResult {
  return { kind: "answered", status, retryAfter, answerStart: new Uint8Array(), durationMs: 5 };
}

async function answer(i: number, result = answered(200)): Promise<void> {
  sent[i]?.reply(result);
  await settle();
}

const names = () => sent.map(({ name }) => name);

describe("a lane", () => {
  test("sends one event at a time, the next one after a 2xx", async () => {
    await call("RM_1", hookA, ["participant_one", "participant_two"]);
    expect(names()).toEqual(["participant_one"]);
    await answer(0, answered(204));
    expect(names()).toEqual(["participant_one", "participant_two"]);
  });

  test("repeats a failed event by the schedule before it goes on, with the same id", async () => {
    await call("RM_1", hookA, ["participant_one", "participant_two"]);
    await answer(0, answered(500));
    await clock.turn(999);
    expect(sent).toHaveLength(1);
    await clock.turn(1);
    expect(names()).toEqual(["participant_one", "participant_one"]);
    expect(sent[1]?.request.headers["webhook-id"]).toBe(sent[0]?.request.headers["webhook-id"] ?? "");
    await answer(1);
    expect(names()).toEqual(["participant_one", "participant_one", "participant_two"]);
  });

  test("goes on with the next event when one is dead", async () => {
    await call("RM_1", hookA, ["participant_one", "participant_two"]);
    await answer(0, answered(500));
    await clock.turn(1000);
    await answer(1, answered(302));
    await clock.turn(5000);
    await answer(2, { kind: "failed", step: "connect", code: "ECONNREFUSED", message: "refused", durationMs: 1 });
    expect(names()).toEqual(["participant_one", "participant_one", "participant_one", "participant_two"]);
    expect(log.lines.at(-1)).toMatchObject({ level: "warn", fields: { reason: "3 attempts failed" } });
  });

  test("honours Retry-After", async () => {
    await call("RM_1", hookA, ["participant_one"]);
    await answer(0, answered(429, "30"));
    await clock.turn(29_999);
    expect(sent).toHaveLength(1);
    await clock.turn(1);
    expect(sent).toHaveLength(2);
  });

  test("expires what is older than the maximum age without sending it", async () => {
    await call("RM_1", hookA, ["participant_one"]);
    await answer(0, answered(503, "3600"));
    await clock.turn(3_600_000);
    expect(sent).toHaveLength(1);
    expect(log.lines.at(-1)).toMatchObject({ level: "warn", message: "A delivery expired" });
    expect(await storage.waitingHooks()).toEqual([]);
  });
});

describe("concurrency", () => {
  test("calls of one hook go out beside each other, up to its limit", async () => {
    for (const sid of ["RM_1", "RM_2", "RM_3"]) await call(sid, hookA, ["participant_one"]);
    expect(sent).toHaveLength(2);
    await answer(0);
    expect(sent).toHaveLength(3);
  });

  test("a hook that hangs does not keep another one from sending", async () => {
    for (const sid of ["RM_1", "RM_2", "RM_3"]) await call(sid, hookA, ["participant_a"]);
    await call("RM_4", hookB, ["participant_b"]);
    expect(names()).toContain("participant_b");
  });
});

describe("what is sent", () => {
  test("the exact body, LiveKit's content type, ids and both signatures' headers, and no Authorization", async () => {
    await call("RM_1", hookA, ["participant_one"]);
    const { headers, url, guarded, deadlineMs } = sent[0]?.request ?? {};
    expect({ url, guarded, deadlineMs }).toEqual({ url: hookA.url, guarded: false, deadlineMs: 10_000 });
    expect(Object.keys(headers ?? {}).toSorted()).toEqual([
      "X-Sayna-Event-Id",
      "X-Sayna-Signature",
      "X-Sayna-Signature-Version",
      "X-Sayna-Timestamp",
      "content-type",
      "user-agent",
      "webhook-id",
      "webhook-timestamp",
    ]);
  });

  test("a secret that cannot be read fails the attempt, and nothing goes out unsigned", async () => {
    const secret = { kind: "env", name: "SAYNA_TEST_NO_SUCH_SECRET" } as const;
    const unsigned: Hook = { ...hookA, secret };
    registry = await HookRegistry.load({ configHooks: [unsigned], policy, storage, clock, log });
    dispatcher = createDispatcher({
      storage,
      registry,
      clock,
      log,
      random: () => 0.5,
      concurrency: { total: 2 },
      hookSecrets: () => ({ hookSecret: undefined }),
      sender: { send: () => Promise.reject(new Error("must not be sent")), close: () => {} },
    });
    await dispatcher.start();
    await call("RM_1", hookA, ["participant_one"]);
    expect(log.text()).toContain("env:SAYNA_TEST_NO_SUCH_SECRET cannot be read");
  });
});

test("a hook that is replaced while the queue is read is sent to as it is then", async () => {
  const claim = storage.claim.bind(storage);
  const moved = { ...hookA, url: "https://moved.example/hook", policy: { deadline: 3_000 } };
  storage.claim = async (...asked) => {
    const claimed = await claim(...asked);
    if (registry.table.byId(hookA.id)?.url === hookA.url) {
      await registry.reconfigure({ configHooks: [moved, hookB], policy }, () => {});
    }
    return claimed;
  };
  await call("RM_1", hookA, ["participant_one"]);
  await settle();
  expect(sent.map(({ request: { url, deadlineMs } }) => [url, deadlineMs])).toEqual([[moved.url, 3_000]]);
});

describe("410", () => {
  test("pauses the hook, also after a restart, until it is replaced; then the same event goes out first", async () => {
    await call("RM_1", hookA, ["participant_one", "participant_two"]);
    await answer(0, answered(410));
    await clock.turn(3_000_000);
    expect(sent).toHaveLength(1);
    expect(registry.isPaused(hookA.id)).toBe(true);
    await dispatcher.stop(0);
    await build();
    expect(sent).toHaveLength(0);
    expect(registry.isPaused(hookA.id)).toBe(true);
  });
});

describe("stop", () => {
  test("sends nothing more, waits for what is under way and settles it", async () => {
    await call("RM_1", hookA, ["participant_one", "participant_two"]);
    const stopped = dispatcher.stop(5000);
    await answer(0);
    await stopped;
    expect(sent).toHaveLength(1);
    await build();
    expect(names()).toEqual(["participant_two"]);
  });

  test("what is cut off by the stop does not count as an attempt, and goes out again", async () => {
    await call("RM_1", hookA, ["participant_one"]);
    const stopped = dispatcher.stop(5000);
    await clock.turn(5000);
    await stopped;
    await answer(0, { kind: "failed", step: "request", code: "CLOSED", message: "closed", durationMs: 1 });
    await build();
    expect(names()).toEqual(["participant_one"]);
    const { deliveries } = await storage.claim(hookA.id, { now: clock.now(), limit: 1, busy: new Set() });
    expect(deliveries[0]?.attempts).toBe(0);
  });
});

describe("a storage that fails", () => {
  test("an outcome that cannot be written is written later, and the event is not sent again meanwhile", async () => {
    await call("RM_1", hookA, ["participant_one"]);
    const { settle: write } = storage;
    storage.settle = () => Promise.reject(new Error("disk full"));
    await answer(0);
    await clock.turn(10_000);
    expect(sent).toHaveLength(1);
    storage.settle = write;
    await clock.turn(1000);
    expect(await storage.waitingHooks()).toEqual([]);
    expect(sent).toHaveLength(1);
  });
});
