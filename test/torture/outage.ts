import { ManualClock } from "../support/manual-clock";
import { hostOf } from "./call-webhooks";
import { Chance } from "./chance";
import { AppInProcess } from "./in-process/app-in-process";
import { Endpoints } from "./in-process/endpoints";
import { answered, REFUSED } from "./in-process/scripted-sender";
import { keepAppointments, timetable, type Kept } from "./in-process/timetable";
import { Findings, type Report, type Scenario } from "./scenario";

const MINUTE = 60_000;
const TENANTS = ["down", "up"] as const;
const CONCURRENCY = 10;
const DOWN_FROM = 2 * MINUTE;
const DOWN_UNTIL = DOWN_FROM + 60 * MINUTE;
const SPAN = DOWN_UNTIL + 5 * MINUTE;
/** A restart must not take the outage for news: it would use up the attempts that the breaker spared. */
const RESTARTS = [15, 30, 45].map((minutes) => minutes * MINUTE);
/** Probes come every 30 s at most often in the long run; the first ones faster. */
const MOST_ATTEMPTS_WHILE_DOWN = 200;

/** A tenant is down for an hour of a turned clock, while calls to it and to another one go on. */
export const outage: Scenario = {
  name: "outage",
  about: "a tenant is down for an hour, and back: everything arrives within a minute, in order, without a storm",
  unit: "calls",
  short: 80,
  long: 1_000,
  run: (seed, calls) => beDownForAnHour(seed, calls, []),
};

/** The same, and the process is killed three times meanwhile. */
export const outageWithRestarts: Scenario = {
  ...outage,
  name: "outage-restarts",
  about: "a tenant is down for an hour in which the process is killed three times, and back",
  run: (seed, calls) => beDownForAnHour(seed, calls, RESTARTS),
};

async function beDownForAnHour(seed: number, calls: number, restarts: readonly number[]): Promise<Report> {
  const findings = new Findings();
  const clock = new ManualClock();
  const began = clock.monotonic();
  const isDown = (at: number) => at - began >= DOWN_FROM && at - began < DOWN_UNTIL;
  const endpoints = new Endpoints(clock, ({ tenant, id, at }, nth) => {
    if (tenant === "down" && isDown(at)) return { result: REFUSED, ms: 2 };
    return { result: answered(200), ms: Chance.of(seed, `${tenant} ${id} ${nth}`).int(20, 80) };
  });
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
      delivery: { concurrency: CONCURRENCY },
    },
  });
  try {
    const appointments = timetable(Chance.of(seed, "calls"), calls, SPAN, TENANTS);
    const before = appointments.filter(({ at }) => at < DOWN_UNTIL);
    const kept: Kept[] = [];
    for (const killAt of [...restarts, Infinity]) {
      const last = kept.length;
      kept.push(
        ...(await keepAppointments(
          app,
          clock,
          began,
          before.slice(last).filter(({ at }) => at < killAt),
        )),
      );
      if (killAt === Infinity) break;
      await clock.turn(Math.max(began + killAt - clock.monotonic(), 0));
      endpoints.processKilled();
      await app.startAgain();
    }
    await clock.turn(began + DOWN_UNTIL - clock.monotonic());
    const backAt = clock.monotonic();
    const waiting = missing(kept, endpoints);
    kept.push(...(await keepAppointments(app, clock, began, appointments.slice(before.length))));
    await clock.turn(Math.max(began + SPAN + 5 * MINUTE - clock.monotonic(), 0));

    const delivered = endpoints.delivered("down");
    const times = waiting.flatMap((id) => delivered.get(id) ?? []);
    const within = Math.max(0, ...times) - backAt;
    const whileDown = endpoints.of("down").filter(({ at }) => isDown(at)).length;
    const mostAtOnce = endpoints.mostAtOnce("down", backAt);
    const slowest = Math.max(...latencies(kept, endpoints, "up"));
    findings.none("an acknowledged event was not delivered", missing(kept, endpoints));
    findings.check("what waited arrives within a minute of the return", within <= MINUTE, `${within} ms`);
    findings.none("a call's events came out of order", endpoints.outOfOrder());
    findings.none("two attempts of one lane were under way at once", endpoints.overlaps());
    findings.check(
      "nothing is sent twice after the return",
      afterReturn(endpoints, backAt) === 0,
      afterReturn(endpoints, backAt),
    );
    findings.check(
      "the endpoint that is down is only probed",
      whileDown <= MOST_ATTEMPTS_WHILE_DOWN,
      `${whileDown} attempts`,
    );
    findings.check("no more at a time than the policy says", mostAtOnce <= CONCURRENCY, mostAtOnce);
    findings.check("the other tenant does not notice", slowest <= 1_000, `${slowest} ms`);
    return {
      figures: {
        "acknowledged events": kept.length,
        "waiting when it came back": waiting.length,
        "all of these arrived within, ms": within,
        "attempts while it was down": whileDown,
        "attempts in the second after the first that arrives": inTheFirstSecond(endpoints, backAt),
        "most at a time after the return": mostAtOnce,
        "most in one second after the return": endpoints.mostInASecond("down", backAt),
        "slowest delivery to the other tenant, ms": slowest,
      },
      broken: findings.broken,
    };
  } finally {
    await app.end();
  }
}

function missing(kept: readonly Kept[], endpoints: Endpoints): string[] {
  const delivered = new Map(TENANTS.map((tenant) => [tenant as string, endpoints.delivered(tenant)]));
  return kept.flatMap(({ webhook: { id, to } }) =>
    to.filter((tenant) => delivered.get(tenant)?.has(id) !== true).map(() => id),
  );
}

function latencies(kept: readonly Kept[], endpoints: Endpoints, tenant: string): number[] {
  const delivered = endpoints.delivered(tenant);
  // The first event of a call waits for its caller's; every other one goes out at once.
  return kept
    .filter(({ webhook }) => webhook.n > 0 && webhook.to.includes(tenant))
    .map(({ webhook, at }) => (delivered.get(webhook.id) ?? Infinity) - at);
}

function inTheFirstSecond(endpoints: Endpoints, backAt: number): number {
  const attempts = endpoints.of("down");
  const first = attempts.find(({ ok, at }) => ok && at >= backAt)?.endedAt ?? 0;
  return attempts.filter(({ at }) => at >= first && at < first + 1_000).length;
}

/** Attempts after the return for what had been delivered before. */
function afterReturn(endpoints: Endpoints, backAt: number): number {
  const delivered = endpoints.delivered("down");
  return endpoints.of("down").filter(({ id, at }) => at >= backAt && at > (delivered.get(id) ?? Infinity)).length;
}
