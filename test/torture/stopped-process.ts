import { World } from "../support/world";
import { foreign, waitForAll } from "./arrivals";
import { hostOf } from "./call-webhooks";
import { DeliveryRecord, type Seen } from "./delivery-record";
import { Load } from "./load";
import { Findings, type Report, type Scenario } from "./scenario";
import { slowAndSometimesFailing } from "./slow-receiver";

const TENANTS = ["a", "b"] as const;
const CONCURRENCY = 10;
const SETTLE_MS = 2_000;
const BEFORE_AND_AFTER_MS = 1_500;

/**
 * Stops the process (SIGSTOP) under load and lets it go on, as a paused virtual machine does: every attempt under way is
 * past its deadline then, and every timer is due at once.
 */
export const stoppedProcess: Scenario = {
  name: "stopped-process",
  about: "the process is stopped under load, past every deadline, and goes on",
  unit: "seconds",
  short: 3,
  long: 60,
  run: stopAndContinue,
};

async function stopAndContinue(seed: number, seconds: number): Promise<Report> {
  const findings = new Findings();
  const record = new DeliveryRecord({ stopped: true });
  const world = await World.start({
    tenants: Object.fromEntries(TENANTS.map((tenant) => [tenant, [{ host: hostOf(tenant), auth_id: tenant }]])),
    sip: { delivery: { schedule: Array.from({ length: 12 }, () => "1s"), deadline: "2s", concurrency: CONCURRENCY } },
  });
  try {
    for (const tenant of TENANTS) record.watch(tenant, world.tenant(tenant), slowAndSometimesFailing(seed, tenant));
    const load = new Load({
      seed,
      url: () => world.server.url,
      tenants: TENANTS,
      callsAtOnce: 20,
      pauseMs: 50,
      shared: 0.1,
    });
    await Bun.sleep(BEFORE_AND_AFTER_MS);
    while (record.underWay === 0) await Bun.sleep(1);
    const underWay = record.underWay;
    const stoppedAt = Date.now();
    world.server.signal("SIGSTOP");
    await Bun.sleep(seconds * 1000);
    record.processEnded(stoppedAt);
    const continuedAt = Date.now();
    world.server.signal("SIGCONT");
    await Bun.sleep(BEFORE_AND_AFTER_MS);
    await load.stop();
    const missing = await waitForAll(load.acknowledged, record);

    const duplicates = record.duplicates(SETTLE_MS);
    const seenFrom = (from: number, ms: number) => record.seen.filter(({ at }) => at >= from && at < from + ms);
    const perSecond = (from: number, ms: number) => Math.round(seenFrom(from, ms).length / (ms / 1000));
    const before = perSecond(stoppedAt - BEFORE_AND_AFTER_MS, BEFORE_AND_AFTER_MS);
    const firstSecond = seenFrom(continuedAt, 1000);
    const due = dueBetween(stoppedAt, continuedAt + 1000, load, record);
    const refused = firstSecond.filter(({ status = 200 }) => status >= 300).length;
    findings.check(
      "what is sent at once after it goes on is what was due, and what was under way once more",
      firstSecond.length <= due + refused + TENANTS.length * CONCURRENCY,
      `${firstSecond.length} requests in the first second, ${due} were due, ${refused} refused`,
    );
    const after = record.seen.filter(({ at }) => at >= continuedAt);
    const atOnce = Math.max(...TENANTS.map((tenant) => mostAtOnce(after.filter((seen) => seen.tenant === tenant))));
    findings.check("a hook has no more under way than its concurrency", atOnce <= CONCURRENCY, `${atOnce} at once`);
    findings.none("an acknowledged event was not delivered", missing);
    findings.none("a lane's events came out of order", record.outOfOrder());
    findings.none("two requests of one lane were under way at once", record.overlaps({ acrossLives: true }));
    findings.none("sent again although it was not under way at the stop", duplicates.others);
    findings.none("a tenant got the caller of another one", foreign(load.sent, record));
    return {
      figures: {
        "requests under way at the stop": underWay,
        "acknowledged events": load.acknowledged.length,
        "acknowledged but not delivered": missing.length,
        "requests seen": record.seen.length,
        "requests a second before": before,
        "requests in the first second after": firstSecond.length,
        "deliveries due in that second": due,
        "under way for one hook after, at most": atOnce,
        "sent again: under way at the stop": duplicates.underWay,
        "sent again: answered just before the stop": duplicates.unwritten,
        "sent again: others": duplicates.others.length,
      },
      broken: findings.broken,
    };
  } finally {
    world.server.signal("SIGCONT");
    await world.end();
  }
}

/** Deliveries of what was acknowledged before `until` that no tenant had taken at `from`. */
function dueBetween(from: number, until: number, { acknowledged }: Load, record: DeliveryRecord): number {
  const taken = new Set(
    record.seen
      .filter(({ status = 500, answeredAt = Infinity }) => status < 300 && answeredAt < from)
      .map(({ tenant, id }) => `${tenant} ${id}`),
  );
  return acknowledged
    .filter(({ acknowledgedAt }) => acknowledgedAt < until)
    .flatMap(({ id, to }) => to.filter((tenant) => !taken.has(`${tenant} ${id}`))).length;
}

function mostAtOnce(requests: readonly Seen[]): number {
  const underWay = (at: number) => requests.filter((one) => one.at <= at && (one.answeredAt ?? Infinity) > at).length;
  return Math.max(0, ...requests.map(({ at }) => underWay(at)));
}
