import { Fleet } from "../support/fleet";
import { foreign, waitForAll } from "./arrivals";
import { Chance } from "./chance";
import { DeliveryRecord } from "./delivery-record";
import { Load } from "./load";
import { Findings, type Report, type Scenario } from "./scenario";
import { slowAndSometimesFailing } from "./slow-receiver";

const INSTANCES = 3;
const TENANTS = ["a", "b", "c"] as const;
/** A lease that is not renewed ends after 10 s, and is taken over within 2 s. */
const BEYOND_LEASE_MS = 15_000;

type Torment = (fleet: Fleet, chance: Chance, record: DeliveryRecord) => Promise<void>;

/** The scenarios that have another form with three instances on one Postgres. */
export const fleetScenarios: readonly Scenario[] = [
  {
    name: "kills",
    about: "kill -9 of one of three instances at random moments under load of 30 calls at once",
    unit: "kills",
    short: 4,
    long: 60,
    run: (seed, size) => torment(seed, size, { atOnce: true, torment: killOne }),
  },
  {
    name: "stopped-process",
    about: "one of three instances is stopped under load beyond its leases, and goes on",
    unit: "stops",
    short: 1,
    long: 6,
    run: (seed, size) => torment(seed, size, { atOnce: false, torment: stopOne }),
  },
];

/** @param options `atOnce`: two requests of a lane may never be under way at once, which one that wakes up cannot know. */
async function torment(seed: number, size: number, options: { atOnce: boolean; torment: Torment }): Promise<Report> {
  const findings = new Findings();
  const record = new DeliveryRecord();
  const chance = Chance.of(seed, "fleet");
  const fleet = await Fleet.start({
    instances: INSTANCES,
    tenants: TENANTS,
    sip: { delivery: { schedule: Array.from({ length: 30 }, () => "200ms") } },
  });
  try {
    for (const tenant of TENANTS) record.watch(tenant, fleet.tenant(tenant), slowAndSometimesFailing(seed, tenant));
    const load = new Load({ seed, url: fleet.nextUrl, tenants: TENANTS, callsAtOnce: 30, pauseMs: 100, shared: 0.1 });
    for (let i = 0; i < size; i++) {
      const before = load.acknowledged.length;
      while (load.acknowledged.length < before + 20) await Bun.sleep(10);
      await options.torment(fleet, chance, record);
    }
    await load.stop();
    const missing = await waitForAll(load.acknowledged, record);
    const outOfOrder = record.outOfOrder();
    const again = repeated(record);
    findings.none("an acknowledged event was not delivered", missing);
    findings.none("a lane's events came out of order", outOfOrder);
    if (options.atOnce) {
      findings.none("two requests of one lane were under way at once", record.overlaps({ acrossLives: true }));
    }
    findings.none("a tenant got the caller of another one", foreign(load.sent, record));
    // Each instance sends at most 10 at a time to each of the hooks, and settles within a moment.
    const most = size * TENANTS.length * 20;
    findings.check("little was sent again", again <= most, `${again} of at most ${most}`);
    return {
      figures: {
        instances: INSTANCES,
        calls: load.calls,
        "acknowledged events": load.acknowledged.length,
        "acknowledged but not delivered": missing.length,
        "requests seen": record.seen.length,
        lanes: record.lanes().length,
        "lanes out of order": outOfOrder.length,
        "sent again after a 2xx": again,
      },
      broken: findings.broken,
    };
  } finally {
    for (const { server } of fleet.instances) server?.signal("SIGCONT");
    await fleet.end();
  }
}

const killOne: Torment = async (fleet, chance) => {
  const instance = fleet.instance(chance.int(0, INSTANCES - 1));
  await Bun.sleep(chance.int(20, 400));
  await instance.killHard();
  await Bun.sleep(chance.int(0, 500));
  await instance.start();
};

const stopOne: Torment = async (fleet, chance, record) => {
  const instance = fleet.instance(chance.int(0, INSTANCES - 1));
  const { server } = instance;
  while (record.underWay === 0) await Bun.sleep(1);
  server?.signal("SIGSTOP");
  // The load balancer notices.
  instance.server = undefined;
  await Bun.sleep(BEYOND_LEASE_MS);
  server?.signal("SIGCONT");
  instance.server = server;
};

/** Requests for what the tenant had taken already. */
function repeated(record: DeliveryRecord): number {
  const taken = new Set<string>();
  let again = 0;
  for (const { tenant, id, status } of record.seen) {
    const key = `${tenant} ${id}`;
    if (taken.has(key)) again++;
    if (status !== undefined && status < 300) taken.add(key);
  }
  return again;
}
