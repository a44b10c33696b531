import { createSqliteStorage } from "../../../../plugins/storage/sqlite";
import type { AttemptRecord, Outcome, PendingDelivery, Storage } from "../../../../src/contracts/storage";
import { A, B, event, HOOKS, nobody, NOW, pattern, sip, to } from "../../../../src/contracts/testing/sample-events";
import { hookId } from "../../../../src/domain/hook";
import { ManualClock } from "../../../support/manual-clock";
import { silentLog } from "../../../support/silent-log";
import { temporaryDirectory } from "../../../support/server-process";

const C = hookId(pattern("h5.example.com"), "tenant-c");
export const ODD = "a\0b \ud800";
export const LONG = "x".repeat(1_000);

/** A directory with an SQLite that has something of everything. */
export async function filledSqlite(calls = 20): Promise<{ dataDir: string; remove: () => Promise<void> }> {
  const { path: dataDir, remove } = await temporaryDirectory();
  const storage = openSqlite(dataDir);
  await fill(storage, calls);
  await storage.close();
  return { dataDir, remove };
}

export function openSqlite(dataDir: string): Storage {
  return createSqliteStorage({ dataDir, clock: new ManualClock(NOW), log: silentLog, ballast: 65_536 });
}

async function fill(storage: Storage, calls: number): Promise<void> {
  await storage.rememberHooks(HOOKS);
  const plan = () => "ordered" as const;
  for (let i = 0; i < calls; i++) {
    const room = { sid: `RM_${i}`, name: `sip-${i}` };
    const answered = { ...sip(`PA_a_${i}`, `+1${i}`, `call-${i}`), identity: i === 0 ? ODD : `sip_${i}` };
    const match = { ...to(A, "a.example.com"), owner: "tenant-a" };
    await storage.commit(
      [
        event("room_started", { room }),
        event("participant_joined", { room, participant: answered }, match, NOW + i),
        event("participant_joined", { room, participant: sip(`PA_b_${i}`) }, to(B, "b.example.com"), NOW + i),
        event("track_published", { room, participant: { sid: `PA_a_${i}` } }),
        event(i === 1 ? LONG : "track_unpublished", { room, participant: { sid: `PA_agent_${i}`, kind: "AGENT" } }),
      ],
      plan,
    );
    if (i % 3 === 0) await storage.commit([event("room_finished", { room })], plan);
  }
  await storage.ownerTaskDone({ roomSid: "RM_1" as never, authId: "tenant-a" });
  const outcomes: Outcome[] = [
    { kind: "delivered" },
    { kind: "dead", reason: `6 attempts failed: ${ODD}` },
    { kind: "expired" },
    { kind: "retry", dueAt: NOW + 5_500, wait: 5_000, counts: true, refusal: true },
  ];
  const { deliveries } = await storage.claim(A, { now: NOW + calls, limit: 12, busy: new Set() });
  await storage.settle(deliveries.map((delivery, i) => settlement(delivery, outcomes[i % outcomes.length], i)));
  // All of it arrives, so that retention removes it.
  const done = { room: { sid: "RM_done", name: "sip-done" }, participant: sip("PA_d") };
  await storage.commit([event("participant_joined", done, to(C, "h5.example.com"))], plan);
  const arrived = await storage.claim(C, { now: NOW, limit: 1, busy: new Set() });
  await storage.settle(arrived.deliveries.map((delivery) => settlement(delivery)));
  await storage.commit(
    [
      event(
        "participant_joined",
        { room: { sid: "RM_lost", name: "sip-lost" }, participant: sip("PA_l") },
        nobody("c.example.com"),
      ),
      event("egress_ended", { room: { name: "sip-nobody-knows" } }, undefined, NOW + 60_000),
    ],
    plan,
  );
  await storage.listUnmatched(NOW + 1);
  await changeHooks(storage);
  await storage.pauseHooks([B], "it answered 410", NOW + 7);
  await storage.cancelPending(
    { kind: "deliveries", ids: [deliveries[3]?.id ?? 0], viewer: "operator" },
    "an operator did",
    NOW + 8,
  );
  // Of what has arrived; its ids stay known.
  const keep = Number.POSITIVE_INFINITY;
  const limits = { delivered: 60_000, dead: keep, unmatched: keep, maxSize: keep };
  while ((await storage.sweep(limits, NOW + 65_000)).more);
}

async function changeHooks(storage: Storage): Promise<void> {
  const hosts = Array.from({ length: 120 }, (_, i) => pattern(`h${i}.example.com`));
  const hook = (i: number, url: string) => ({ host: hosts[i] ?? pattern("x.example.com"), url, authId: "tenant-c" });
  await storage.changeHooks({ who: ODD, at: NOW }, hosts, () => {
    return hosts.map((host, i) => ({ host, after: hook(i, "https://one.example/hook") }));
  });
  await storage.changeHooks({ who: "ops", at: NOW + 1 }, hosts.slice(0, 3), () => [
    { host: hosts[0] ?? pattern("x.example.com") },
    { host: hosts[1] ?? pattern("x.example.com"), after: hook(1, "https://two.example/hook") },
  ]);
}

function settlement(delivery: PendingDelivery, outcome: Outcome = { kind: "delivered" }, i = 0) {
  const answerStart = new Uint8Array([0, 255, i]);
  const attempt: AttemptRecord = { startedAt: NOW + i, durationMs: i, status: 503, error: ODD, answerStart };
  return { delivery, at: NOW + 100 + i, attempt, outcome };
}
