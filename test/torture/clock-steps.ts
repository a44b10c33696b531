import { ManualClock } from "../support/manual-clock";
import { hostOf } from "./call-webhooks";
import { Chance } from "./chance";
import { AppInProcess } from "./in-process/app-in-process";
import { Endpoints } from "./in-process/endpoints";
import { answered } from "./in-process/scripted-sender";
import { keepAppointments, timetable, type Kept } from "./in-process/timetable";
import { Findings, type Report, type Scenario } from "./scenario";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const TENANTS = ["a", "b"] as const;
const CALLS_PER_STEP = 8;
const SPAN_PER_STEP = 3 * MINUTE;
/** After a kill what waits may wait for the schedule's longest time again, and kills may follow each other; not an hour. */
const LONGEST_WAIT = 20 * MINUTE;

/** The time of day is set an hour on or back, again and again, and the process killed after some of these steps. */
export const clockSteps: Scenario = {
  name: "clock-steps",
  about: "the clock is set by an hour, on or back, some steps followed by a kill",
  unit: "steps",
  short: 8,
  long: 100,
  run: setTheClock,
};

async function setTheClock(seed: number, steps: number): Promise<Report> {
  const findings = new Findings();
  const clock = new ManualClock();
  const began = clock.monotonic();
  const failures = (tenant: string, id: string) => {
    const chance = Chance.of(seed, `${tenant} ${id}`);
    return chance.happens(0.2) ? chance.int(1, 2) : 0;
  };
  const endpoints = new Endpoints(clock, ({ tenant, id }, nth) => ({
    result: answered(nth < failures(tenant, id) ? 503 : 200),
    ms: Chance.of(seed, `${tenant} ${id} ${nth}`).int(20, 800),
  }));
  const random = Chance.of(seed, "jitter");
  const app = await AppInProcess.start({
    clock,
    random: () => random.next(),
    send: endpoints.send,
    sip: {
      hooks: TENANTS.map((tenant) => ({
        host: hostOf(tenant),
        url: `https://${tenant}.example/hook`,
        auth_id: tenant,
      })),
    },
  });
  try {
    const chance = Chance.of(seed, "steps");
    const appointments = timetable(Chance.of(seed, "calls"), CALLS_PER_STEP * steps, SPAN_PER_STEP * steps, TENANTS);
    const kept: Kept[] = [];
    let kills = 0;
    for (let i = 0, from = 0; i < steps; i++) {
      const to = SPAN_PER_STEP * i + chance.int(0, SPAN_PER_STEP);
      kept.push(
        ...(await keepAppointments(
          app,
          clock,
          began,
          appointments.filter(({ at }) => at >= from && at < to),
        )),
      );
      from = to;
      clock.set(clock.now() + chance.pick([HOUR, -HOUR]));
      if (!chance.happens(0.3)) continue;
      kills++;
      endpoints.processKilled();
      await app.startAgain();
    }
    const last = clock.monotonic();
    kept.push(...(await keepAppointments(app, clock, began, appointments.slice(kept.length))));
    await clock.turn(LONGEST_WAIT);

    const waits = TENANTS.flatMap((tenant) => waitsOf(kept, endpoints, tenant));
    const attempts = [...Map.groupBy(endpoints.attempts, ({ tenant, id }) => `${tenant} ${id}`)];
    const tooMany = attempts.filter(([key, of]) => {
      const [tenant = "", id = ""] = key.split(" ");
      return of.length > failures(tenant, id) + 1 + of.filter(({ cut }) => cut).length;
    });
    findings.check(
      "every event was taken",
      kept.length === appointments.length,
      `${kept.length} of ${appointments.length}`,
    );
    findings.none(
      "a delivery is stuck",
      waits.filter(({ ms }) => ms > LONGEST_WAIT).map(({ id, ms }) => `${id} for ${ms} ms`),
    );
    findings.none(
      "an event was sent more often than it failed",
      tooMany.map(([key, of]) => `${key} ${of.length} times`),
    );
    findings.none("two attempts of one lane were under way at once", endpoints.overlaps());
    findings.none("a call's events came out of order", endpoints.outOfOrder());
    return {
      figures: {
        steps,
        "kills after a step": kills,
        "acknowledged events": kept.length,
        attempts: endpoints.attempts.length,
        "longest wait for a delivery, ms": Math.max(...waits.map(({ ms }) => ms)),
        "most attempts in one second": Math.max(...TENANTS.map((tenant) => endpoints.mostInASecond(tenant))),
        "minutes turned": Math.round((last - began) / MINUTE),
      },
      broken: findings.broken,
    };
  } finally {
    await app.end();
  }
}

function waitsOf(kept: readonly Kept[], endpoints: Endpoints, tenant: string): { id: string; ms: number }[] {
  const delivered = endpoints.delivered(tenant);
  return kept
    .filter(({ webhook }) => webhook.to.includes(tenant))
    .map(({ webhook: { id }, at }) => ({ id, ms: (delivered.get(id) ?? Infinity) - at }));
}
