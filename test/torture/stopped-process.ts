import { World } from "../support/world";
import { foreign, waitForAll } from "./arrivals";
import { hostOf } from "./call-webhooks";
import { DeliveryRecord } from "./delivery-record";
import { Load } from "./load";
import { Findings, type Report, type Scenario } from "./scenario";
import { slowAndSometimesFailing } from "./slow-receiver";

const TENANTS = ["a", "b"] as const;
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
    sip: { delivery: { schedule: Array.from({ length: 12 }, () => "1s"), deadline: "2s" } },
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
    const perSecond = (from: number, ms: number) =>
      Math.round(record.seen.filter(({ at }) => at >= from && at < from + ms).length / (ms / 1000));
    const before = perSecond(stoppedAt - BEFORE_AND_AFTER_MS, BEFORE_AND_AFTER_MS);
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
        "requests in the first second after": perSecond(continuedAt, 1000),
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
