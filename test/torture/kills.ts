import { World } from "../support/world";
import { foreign, waitForAll } from "./arrivals";
import { hostOf } from "./call-webhooks";
import { Chance } from "./chance";
import { DeliveryRecord } from "./delivery-record";
import { Load } from "./load";
import { Findings, type Report, type Scenario } from "./scenario";
import { slowAndSometimesFailing } from "./slow-receiver";

const TENANTS = ["a", "b", "c"] as const;
const CALLS_AT_ONCE = 50;
const CONCURRENCY = 10;
/** An outcome is written within milliseconds while the process works; 46 ms were seen on a quiet machine, 399 on one that was held back. */
const SETTLE_MS = 1_000;

/** Kills the process at random moments while 50 calls send their events, and starts it again each time. */
export const kills: Scenario = {
  name: "kills",
  about: "kill -9 at random moments under load of 50 calls at once",
  unit: "kills",
  short: 10,
  long: 200,
  run: killOverAndOver,
};

async function killOverAndOver(seed: number, size: number): Promise<Report> {
  const findings = new Findings();
  const record = new DeliveryRecord();
  const world = await World.start({
    tenants: Object.fromEntries(TENANTS.map((tenant) => [tenant, [{ host: hostOf(tenant), auth_id: tenant }]])),
    sip: { delivery: { schedule: Array.from({ length: 30 }, () => "200ms"), concurrency: CONCURRENCY } },
  });
  try {
    for (const tenant of TENANTS) record.watch(tenant, world.tenant(tenant), slowAndSometimesFailing(seed, tenant));
    const load = new Load({
      seed,
      url: () => world.server.url,
      tenants: TENANTS,
      callsAtOnce: CALLS_AT_ONCE,
      pauseMs: 100,
      shared: 0.1,
    });
    const { kills: done, withWork } = await killAtRandom(world, record, load, Chance.of(seed, "kills"), size);
    await load.stop();
    const missing = await waitForAll(load.acknowledged, record);

    const duplicates = record.duplicates(SETTLE_MS);
    const outOfOrder = record.outOfOrder();
    findings.none("an acknowledged event was not delivered", missing);
    findings.none("a lane's events came out of order", outOfOrder);
    findings.none("two requests of one lane were under way at once", record.overlaps());
    findings.none("sent again although no kill was in between", duplicates.others);
    findings.none("a tenant got the caller of another one", foreign(load.sent, record));
    findings.check(
      "what is sent again at a kill is no more than what a hook may have under way",
      duplicates.mostUnwritten <= TENANTS.length * CONCURRENCY,
      `${duplicates.mostUnwritten} answers were not yet on disk at one kill`,
    );
    findings.check("something was under way at most kills", withWork >= done / 2, `at ${withWork} of ${done}`);
    return {
      figures: {
        kills: done,
        "kills with requests under way": withWork,
        calls: load.calls,
        "acknowledged events": load.acknowledged.length,
        "deliveries expected": load.acknowledged.reduce((sum, { to }) => sum + to.length, 0),
        "acknowledged but not delivered": missing.length,
        "requests seen": record.seen.length,
        lanes: record.lanes().length,
        "lanes out of order": outOfOrder.length,
        "duplicates of requests under way at a kill": duplicates.underWay,
        "duplicates of answers not yet on disk at a kill": duplicates.unwritten,
        "such answers at one kill, at most": duplicates.mostUnwritten,
        "oldest such answer, ms": duplicates.longestMs,
        "duplicates not allowed": duplicates.others.length,
      },
      broken: findings.broken,
    };
  } finally {
    await world.end();
  }
}

async function killAtRandom(world: World, record: DeliveryRecord, load: Load, chance: Chance, times: number) {
  let withWork = 0;
  for (let i = 0; i < times; i++) {
    const before = load.acknowledged.length;
    const wait = chance.int(20, 400);
    // A process that is killed before it did anything shows nothing: at least something must have been acknowledged.
    while (load.acknowledged.length === before) await Bun.sleep(10);
    await Bun.sleep(wait);
    if (record.underWay > 0) withWork++;
    const workedAt = load.lastTakenSentAt;
    const killedAt = Date.now();
    await world.server.killHard();
    // What the old process had written to its sockets is read before the new one can send anything.
    await Bun.sleep(20);
    record.processEnded(killedAt, workedAt);
    await world.startAgain();
  }
  return { kills: times, withWork };
}
