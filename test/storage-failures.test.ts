import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { loadConfig } from "../plugins/config-loader";
import { createSqliteStorage } from "../plugins/storage/sqlite";
import { createApp, type SaynaSip } from "../src/app";
import type { Storage } from "../src/contracts/storage";
import { failStatement, type Statement } from "./support/failing-statements";
import { sendLikeLiveKit } from "./support/livekit-sender";
import { livekitToken } from "./support/livekit-token";
import { ManualClock, settle } from "./support/manual-clock";
import { recordingLog } from "./support/recording-log";
import { RECORDED_KEY } from "./support/recordings";
import { temporaryDirectory } from "./support/server-process";
import { watchStatements } from "./support/watched-statements";
import { caller, webhookJson } from "./support/webhooks";

const HOOK_URL = "https://a.example/hook";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let clock: ManualClock;
let log: ReturnType<typeof recordingLog>;
let storage: Storage;
let service: SaynaSip;
/** Ids of the events that the hook was sent, each time. */
let sent: string[];

beforeEach(async () => {
  directory = await temporaryDirectory();
  clock = new ManualClock(Date.now());
  log = recordingLog();
  sent = [];
  await start();
});

afterEach(async () => {
  await service.stopSending(0);
  await service.close();
  await directory.remove();
});

async function start(): Promise<void> {
  storage = createSqliteStorage({ dataDir: directory.path, clock, log, ballast: 0 });
  const config = loadConfig({
    env: {
      LIVEKIT_API_KEY: RECORDED_KEY.apiKey,
      LIVEKIT_API_SECRET: RECORDED_KEY.apiSecret,
      SIP_ROOM_PREFIX: "sip-",
      SIP_PROVISION: "false",
      SIP_SET_ROOM_OWNER: "false",
      SIP_HOOKS_JSON: JSON.stringify([{ host: "a.example.com", url: HOOK_URL }]),
    },
  });
  const sender = {
    send: async ({ headers }: { readonly headers: Readonly<Record<string, string>> }) => {
      sent.push(headers["webhook-id"] ?? headers["X-Sayna-Event-Id"] ?? "");
      const answered = { kind: "answered", status: 200, retryAfter: undefined } as const;
      return { ...answered, answerStart: new Uint8Array(), durationMs: 1 };
    },
    close: () => {},
  };
  service = await createApp(config, { log, clock, storage, sender, random: () => 0.5 });
  await service.start();
}

async function post(json: object) {
  const body = JSON.stringify(json);
  const token = livekitToken(body, { now: Math.floor(clock.now() / 1000) });
  const headers = { authorization: token, "content-type": "application/webhook+json" };
  return service.app.handle(new Request("http://localhost/livekit/webhook", { method: "POST", body, headers }));
}

const ready = async () => (await service.app.handle(new Request("http://localhost/health/ready"))).status;

/** A call of every kind of event: held, routed, about a participant, about the room, and the room's end. */
function callEvents(): readonly (Record<string, unknown> & { id: string })[] {
  const participant = caller("PA_1", "a.example.com");
  const members = (name: string) => ({ id: `EV_${name}`, createdAt: String(Math.floor(clock.now() / 1000)) });
  return [
    { ...webhookJson("room_started", members("started")), id: "EV_started" },
    { ...webhookJson("participant_joined", { ...members("joined"), participant }), id: "EV_joined" },
    {
      ...webhookJson("track_published", { ...members("track"), participant: { sid: "PA_1", identity: "sip_PA_1" } }),
      id: "EV_track",
    },
    { ...webhookJson("participant_left", { ...members("left"), participant }), id: "EV_left" },
    { ...webhookJson("room_finished", members("finished")), id: "EV_finished" },
  ];
}

/** Every statement that keeping and delivering a call needs. */
const STATEMENTS: readonly Statement[] = [
  { operation: "insert", table: "calls" },
  { operation: "update", table: "calls" },
  { operation: "insert", table: "participants" },
  { operation: "insert", table: "call_hooks" },
  { operation: "insert", table: "events" },
  { operation: "update", table: "events" },
  { operation: "insert", table: "lanes" },
  { operation: "update", table: "lanes" },
  { operation: "insert", table: "deliveries" },
  { operation: "update", table: "deliveries" },
  { operation: "insert", table: "attempts" },
];

describe("a write error at any statement", () => {
  test.each(STATEMENTS.map((statement) => [`${statement.operation} ${statement.table}`, statement] as const))(
    "%s: what was acknowledged arrives, each event once and in order; refused ones are kept when they come again",
    async (_, statement) => {
      let recover = failStatement(directory.path, statement);
      let failures = 0;
      let answered503 = 0;
      const recoverNow = () => {
        recover();
        recover = () => {};
      };
      for (const event of callEvents()) {
        const first = await post(event);
        await settle();
        if (log.lines.some(({ fields }) => String(fields.err).includes("injected write error"))) {
          failures++;
          expect(await ready()).toBe(503);
        }
        if (first.status === 503) {
          answered503++;
          expect(first.headers.get("retry-after")).toBe("1");
          recoverNow();
          await clock.turn(1000);
          expect((await post(event)).status).toBe(200);
        } else expect(first.status).toBe(200);
        await clock.turn(1000);
        log.lines.length = 0;
        if (failures > 0) recoverNow();
      }
      await clock.turn(60_000);
      expect(failures).toBeGreaterThan(0);
      expect(answered503).toBe(statement.table === "attempts" || sameAtSettling(statement) ? 0 : 1);
      expect(sent).toEqual(callEvents().map(({ id }) => id));
      expect(await ready()).toBe(200);
      // Nothing is left to be sent after a restart, and each event is known.
      await service.stopSending(0);
      await service.close();
      await start();
      expect(await storage.waitingHooks()).toEqual([]);
      for (const event of callEvents()) expect((await post(event)).status).toBe(200);
      await clock.turn(60_000);
      expect(sent).toHaveLength(5);
    },
  );
});

test("no other statement writes when a call is kept and delivered", async () => {
  await service.stopSending(0);
  await service.close();
  const watch = watchStatements();
  try {
    await start();
    watch.forgetRun();
    for (const event of callEvents()) {
      expect((await post(event)).status).toBe(200);
      await clock.turn(1000);
    }
    await clock.turn(60_000);
    expect(sent).toHaveLength(5);
    const written = [...watch.ran.keys()].flatMap((sql) => WRITING.exec(sql)?.slice(1).join(" ") ?? []);
    const listed = STATEMENTS.map(({ operation, table }) => `${operation} ${table}`);
    expect([...new Set(written)].toSorted()).toEqual(listed.toSorted());
  } finally {
    watch.end();
  }
});

/** Its operation and its table. */
const WRITING = /^\s*(insert|update|delete)(?: or \w+)?(?: into| from)? (\w+)/i;

/** A delivery is written to first when it is settled: that is tried again by us, not by LiveKit. */
function sameAtSettling({ operation, table }: Statement): boolean {
  return operation === "update" && table === "deliveries";
}

describe("how long a storage failure may last without losing an event, by LiveKit's retry rules", () => {
  /** Sends an event as LiveKit does into a failure that began just before and lasts so long. */
  async function sendInto(failure: number) {
    const { commit } = storage;
    const end = clock.now() + failure;
    storage.commit = (events, plan) => {
      return clock.now() < end ? Promise.reject(new Error("SQLITE_FULL")) : commit(events, plan);
    };
    const server = service.app.listen({ hostname: "127.0.0.1", port: 0 }).server;
    const began = clock.now();
    const [event] = callEvents();
    try {
      const result = await sendLikeLiveKit(
        () => String(server?.url ?? "").replace(/\/$/, ""),
        JSON.stringify(event),
        undefined,
        (ms) => clock.turn(ms),
      );
      return { ...result, after: clock.now() - began };
    } finally {
      await server?.stop(true);
    }
  }

  test.each([
    [500, { delivered: true, attempts: 2, after: 1_000 }],
    [2_500, { delivered: true, attempts: 3, after: 3_000 }],
    [10_000, { delivered: true, attempts: 4, after: 11_000 }],
    [20_000, { delivered: true, attempts: 5, after: 26_000 }],
    [26_000, { delivered: true, attempts: 5, after: 26_000 }],
    [26_001, { delivered: false, attempts: 5, after: 26_000 }],
    [30_000, { delivered: false, attempts: 5, after: 26_000 }],
  ])("%d ms", async (failure, expected) => {
    expect(await sendInto(failure)).toEqual(expected);
  });
});
