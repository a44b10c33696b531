import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { createSqliteStorage, DATABASE_FILE } from "../../../plugins/storage/sqlite";
import { roomSid } from "../../../src/domain/ids";
import { migrate } from "../../../plugins/storage/sqlite/migrations";
import type { DeliveryPlan, HookReplacements, Outcome, Storage } from "../../../src/contracts/storage";
import {
  A,
  at,
  B,
  DEAD,
  event,
  HOOKS,
  HOUR,
  NOW,
  nobody,
  pattern,
  room,
  sip,
  to,
} from "../../../src/contracts/testing/sample-events";
import { ManualClock } from "../../support/manual-clock";
import { temporaryDirectory } from "../../support/server-process";
import { silentLog } from "../../support/silent-log";
import { watchStatements } from "../../support/watched-statements";

type Action = {
  readonly name: string;
  /** What is there before. */
  readonly before?: (storage: Storage) => Promise<unknown>;
  readonly run: (storage: Storage) => Promise<unknown>;
  /** It is made of several transactions, and may have done a part; or it succeeds and does the rest later. */
  readonly inSteps?: boolean;
};

const NEVER = { delivered: 0, dead: 0, unmatched: 0, maxSize: Infinity };
const OWNED = { ...to(A, "a.example.com"), owner: "tenant-a" };
const ops = { who: "ops", at: NOW };
const inRoom = (sid: string) => ({ room: room(sid) });

/** A call of A, whose last event nobody has a hook for any more. */
const CALL = [
  event("room_started"),
  event("participant_joined", { participant: sip("PA_1") }, OWNED),
  event("track_published", { participant: { sid: "PA_1" } }),
  event("participant_left", { participant: sip("PA_1") }),
  event("egress_ended", { participant: { sid: "PA_1" } }),
  event("room_finished"),
];
const LATER = at(NOW + HOUR, event("track_unpublished", { participant: { sid: "PA_1" } }));
const UNMATCHED = [
  event("room_started", inRoom("RM_2")),
  event("participant_joined", { ...inRoom("RM_2"), participant: sip("PA_2") }, nobody("a.example.com")),
];
const plan = (_: unknown, name: string): DeliveryPlan => {
  if (name === "egress_ended") return "gone";
  return name === "track_published" ? "unordered" : "ordered";
};

const keepCall = (storage: Storage) => storage.commit(CALL, plan);
const keepUnmatched = (storage: Storage) => storage.commit(UNMATCHED, plan);

/** Sends what is next of A, once. */
async function settle(storage: Storage, outcome: Outcome): Promise<void> {
  const { deliveries } = await storage.claim(A, { now: Infinity, limit: 10, busy: new Set() });
  const attempt = { startedAt: NOW, durationMs: 3, status: 503, error: undefined, answerStart: undefined };
  await storage.settle(deliveries.map((delivery) => ({ delivery, at: NOW, attempt, outcome })));
}

async function sweep(storage: Storage, now: number): Promise<void> {
  while ((await storage.sweep(NEVER, now)).more);
}

const REPLACED = [
  {
    host: pattern("new.example.com"),
    after: { host: pattern("new.example.com"), url: "https://n.example/", authId: "n" },
  },
  { host: pattern("gone.example.com") },
];
const GONE = { host: pattern("gone.example.com"), url: "https://g.example/", authId: "g" };
const change = (storage: Storage, replacements: HookReplacements) =>
  storage.changeHooks(
    ops,
    replacements.map(({ host }) => host),
    () => replacements,
  );

const again = UNMATCHED.map(({ event: parsed, match }) => ({
  id: parsed.id,
  event: parsed,
  match: match === undefined ? undefined : OWNED,
}));

const ACTIONS: readonly Action[] = [
  { name: "keeping events", run: keepCall },
  {
    name: "keeping an event much later",
    before: (storage) => storage.commit(CALL.slice(0, 3), plan),
    run: (storage) => storage.commit([LATER], plan),
  },
  { name: "listing what is unmatched", before: keepUnmatched, run: (storage) => storage.listUnmatched(NOW + HOUR) },
  ...(
    [
      { kind: "delivered" },
      { kind: "retry", dueAt: NOW + HOUR, wait: HOUR, counts: true, refusal: false },
      DEAD,
      { kind: "expired" },
    ] as const
  ).map((outcome) => ({
    name: `settling: ${outcome.kind}`,
    before: keepCall,
    run: (storage: Storage) => settle(storage, outcome),
  })),
  { name: "making all of a hook due", before: failed, run: (storage) => storage.makeDue(A, NOW) },
  { name: "shortening waits", before: failed, run: (storage) => storage.limitWaits(A, NOW - HOUR) },
  { name: "remembering hooks", before: keepCall, run: (storage) => storage.rememberHooks(HOOKS) },
  {
    name: "changing hooks",
    before: (storage) => change(storage, [{ host: GONE.host, after: GONE }]),
    run: (storage) => change(storage, REPLACED),
    inSteps: true,
  },
  { name: "pausing hooks", run: (storage) => storage.pauseHooks([A, B], "it answered 410", NOW) },
  {
    name: "resuming hooks",
    before: (storage) => storage.pauseHooks([A, B], "it answered 410", NOW),
    run: (storage) => storage.resumeHooks([A, B], NOW),
  },
  { name: "cancelling all of a hook", before: keepCall, run: (storage) => storage.cancelHook(A), inSteps: true },
  {
    name: "cancelling a call",
    before: keepCall,
    run: (storage) =>
      storage.cancelPending({ kind: "call", roomSid: roomSid("RM_1"), viewer: "operator" }, "by somebody", NOW),
    inSteps: true,
  },
  {
    name: "cancelling deliveries",
    before: keepCall,
    run: (storage) =>
      storage.cancelPending({ kind: "deliveries", ids: [1, 2], viewer: "operator" }, "by somebody", NOW),
  },
  {
    name: "replaying",
    before: async (storage) => {
      await keepCall(storage);
      await settle(storage, DEAD);
    },
    run: (storage) =>
      storage.replay(
        { kind: "filter", filter: { viewer: "operator", states: ["dead"] }, limit: 10 },
        { plan, at: NOW, dryRun: false },
      ),
  },
  {
    name: "routing a call again",
    before: keepUnmatched,
    run: (storage) => storage.routeAgain(roomSid("RM_2"), again, { plan, at: NOW, dryRun: false }),
  },
  {
    name: "ending an owner task",
    before: keepCall,
    run: (storage) => storage.ownerTaskDone({ roomSid: roomSid("RM_1"), authId: "tenant-a" }),
  },
  {
    name: "removing what is old",
    before: async (storage) => {
      await keepCall(storage);
      while ((await storage.waitingHooks()).length > 0) await settle(storage, { kind: "delivered" });
    },
    run: async (storage) => {
      await sweep(storage, NOW + 1);
      // Calls and ids are remembered longer.
      await sweep(storage, NOW + 100 * HOUR);
    },
    inSteps: true,
  },
  { name: "asking whether it can write", run: (storage) => storage.checkWritable() },
];

async function failed(storage: Storage): Promise<void> {
  await keepCall(storage);
  await settle(storage, { kind: "retry", dueAt: NOW + HOUR, wait: HOUR, counts: true, refusal: false });
}

let watch: ReturnType<typeof watchStatements>;

beforeAll(() => {
  watch = watchStatements();
});

afterAll(() => watch.end());

/** A storage of its own, as it is before this action. */
async function opened(action: Action) {
  const directory = await temporaryDirectory();
  const clock = new ManualClock(NOW);
  const storage = createSqliteStorage({ dataDir: directory.path, clock, log: silentLog, ballast: 0 });
  await action.before?.(storage);
  return {
    storage,
    content: () => contentOf(directory.path),
    /** It counts as broken for five seconds; the time of day is in what it writes. */
    recover: async () => {
      await clock.turn(5_000);
      clock.set(NOW);
    },
    end: async () => {
      await storage.close();
      await directory.remove();
    },
  };
}

/** What the action writes with, how often each statement is run, and what it leaves. */
async function successOf(action: Action) {
  const it = await opened(action);
  watch.forgetRun();
  await action.run(it.storage);
  const writes = [...watch.ran].filter(([sql]) => writing(sql));
  const content = it.content();
  await it.end();
  return { writes, content };
}

describe("a write error at each statement, its first run and its last, changes nothing, or is made good by doing the same again", () => {
  test.each(ACTIONS.map((action) => [action.name, action] as const))("%s", async (_, action) => {
    const success = await successOf(action);
    expect(success.writes).not.toEqual([]);
    const failures = success.writes.flatMap(([sql, times]) => [...new Set([1, times])].map((nth) => ({ sql, nth })));
    for (const { sql, nth } of failures) {
      const it = await opened(action);
      const before = it.content();
      watch.fail(sql, nth);
      const run = await action.run(it.storage).then(
        () => "done",
        (error: unknown) => String(error),
      );
      if (action.inSteps !== true) {
        expect([sql, run]).toEqual([sql, "Error: injected write error"]);
        expect([sql, it.content()]).toEqual([sql, before]);
      }
      await it.recover();
      await action.run(it.storage);
      expect([sql, it.content()]).toEqual([sql, success.content]);
      await it.end();
    }
  });

  test("and none of the statements that write is in no action", async () => {
    const tried = new Set<string>();
    for (const action of ACTIONS) for (const [sql] of (await successOf(action)).writes) tried.add(sql);
    expect(tried.size).toBeGreaterThan(40);
    expect([...watch.prepared].filter(writing).filter((sql) => !tried.has(sql))).toEqual([]);
  });
});

let empty: Database | undefined;

/** Whether SQLite begins a transaction that writes for it. */
function writing(sql: string): boolean {
  if (/^\s*pragma/i.test(sql)) return false;
  if (empty === undefined) {
    empty = new Database(":memory:");
    migrate(empty, 0);
  }
  const steps = empty.prepare<{ opcode: string; p2: number }, []>(`explain ${sql}`).all();
  return steps.some(({ opcode, p2 }) => opcode === "Transaction" && p2 !== 0);
}

/** Every row of every table; ids of deliveries by their order, since those of what was rolled back are not given again. */
function contentOf(dataDir: string): Record<string, unknown[]> {
  const db = new Database(join(dataDir, DATABASE_FILE), { readonly: true });
  try {
    const rows = (sql: string) => db.prepare<Record<string, unknown>, []>(sql).all();
    const ids = rows("select id from deliveries order by id").map(({ id }) => Number(id));
    const rank = (id: unknown) => (typeof id === "number" ? ids.filter((one) => one <= id).length : id);
    const DELIVERY_IDS: Record<string, string[]> = {
      deliveries: ["id"],
      attempts: ["delivery"],
      lanes: ["head", "cancel_to"],
      delivery_ids: ["used"],
    };
    const tables = rows("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'");
    return Object.fromEntries(
      tables.map(({ name }) => [
        String(name),
        rows(`select * from ${String(name)}`).map((row) =>
          Object.fromEntries(
            Object.entries(row).map(([column, value]) => [
              column,
              DELIVERY_IDS[String(name)]?.includes(column) === true ? rank(value) : value,
            ]),
          ),
        ),
      ]),
    );
  } finally {
    db.close();
  }
}
