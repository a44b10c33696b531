import { hookId } from "../../src/domain/hook";
import { sendLikeLiveKit } from "../support/livekit-sender";
import { pattern } from "../support/webhooks";
import { World } from "../support/world";
import { waitForAll } from "./arrivals";
import { callWebhooks, hostOf, type CallWebhook } from "./call-webhooks";
import { Chance } from "./chance";
import { DeliveryRecord } from "./delivery-record";
import { Findings, type Report, type Scenario } from "./scenario";
import { storedDeliveries } from "./stored-deliveries";

const TENANTS = ["a", "b"] as const;
const ATTEMPTS_FOR_A_REFUSED_EVENT = 3;
/** What waits behind the refused event waits for at least 3.2 s: twice this, less 20 % jitter. */
const RETRY = "2s";
/**
 * From the acknowledgement to the request, of the other lanes: one that had to wait for a retry would take longer. Many calls
 * at once wait for each other, on a slow machine for longer than this: then three times what they take without the refused one.
 */
const ALLOWED = { ms: 1_500, times: 3 };

/** One event of one call is refused whenever it comes, with 400; all others are taken. */
export const refusedEvent: Scenario = {
  name: "refused-event",
  about: "one event that is always refused among good ones",
  unit: "calls beside it",
  short: 12,
  long: 200,
  run: refuseOneEvent,
};

async function refuseOneEvent(seed: number, size: number): Promise<Report> {
  const findings = new Findings();
  const record = new DeliveryRecord();
  const chance = Chance.of(seed, "refused-event");
  const bad = callWebhooks("bad", ["a"]);
  const refused = bad[chance.int(1, bad.length - 2)];
  if (refused === undefined) throw new Error("unreachable");
  const world = await World.start({
    tenants: Object.fromEntries(TENANTS.map((tenant) => [tenant, [{ host: hostOf(tenant), auth_id: tenant }]])),
    sip: { delivery: { schedule: [RETRY, RETRY, RETRY, RETRY] } },
  });
  try {
    for (const tenant of TENANTS) {
      record.watch(tenant, world.tenant(tenant), async (request) => {
        await Bun.sleep(1);
        return { status: request.header("webhook-id") === refused.id ? 400 : 200 };
      });
    }
    const goodCalls = (name: string) =>
      Array.from({ length: size }, (_, i) => callWebhooks(`${name}${i}`, [chance.pick(TENANTS)]));
    const acknowledged = new Map<string, number>();
    const alone = goodCalls("alone");
    await Promise.all(alone.map((call) => sendAll(world, call, acknowledged)));
    const missingAlone = await waitForAll(alone.flat(), record);
    const beside = goodCalls("good");
    const calls = [bad, ...beside];
    await Promise.all(calls.map((call) => sendAll(world, call, acknowledged)));
    const missing = await waitForAll(
      calls.flat().filter(({ id }) => id !== refused.id),
      record,
    );

    const times = Map.groupBy(record.seen, ({ id }) => id);
    const refusals = times.get(refused.id) ?? [];
    const next = times.get(bad[refused.n + 1]?.id ?? "")?.[0];
    const twice = [...times].filter(([id, requests]) => id !== refused.id && requests.length !== 1).map(([id]) => id);
    const slowestOf = (some: typeof calls) =>
      Math.max(...some.flat().map(({ id }) => latency(times.get(id)?.[0]?.at, acknowledged.get(id))));
    const slowestAlone = slowestOf(alone);
    const slowest = slowestOf(beside);
    const hook = hookId(pattern(hostOf("a")), "a");
    const stored = storedDeliveries(`${world.directory}/data`).filter(({ state }) => state !== "delivered");
    findings.check(
      "the refused event is tried three times",
      refusals.length === ATTEMPTS_FOR_A_REFUSED_EVENT,
      `${refusals.length} times`,
    );
    findings.check(
      "it alone ends as dead",
      stored.length === 1 && stored[0]?.event === refused.id && stored[0].hook === hook && stored[0].state === "dead",
      JSON.stringify(stored),
    );
    findings.check(
      "its lane goes on after it",
      next !== undefined && next.at >= (refusals.at(-1)?.answeredAt ?? Infinity),
    );
    findings.check(
      "the other lanes do not wait for it",
      slowest <= Math.max(ALLOWED.ms, ALLOWED.times * slowestAlone),
      `one event took ${slowest} ms, without it ${slowestAlone} ms at most`,
    );
    findings.none("another event was not delivered", [...missingAlone, ...missing]);
    findings.none("another event was sent more than once", twice);
    findings.none("a lane's events came out of order", record.outOfOrder());
    return {
      figures: {
        "calls beside it": size,
        "events delivered": times.size - 1,
        "attempts for the refused one": refusals.length,
        "ms from its first refusal to its lane's next event": (next?.at ?? 0) - (refusals[0]?.at ?? 0),
        "the slowest event without it, ms": slowestAlone,
        "the slowest event of the other lanes, ms": slowest,
      },
      broken: findings.broken,
    };
  } finally {
    await world.end();
  }
}

async function sendAll(
  world: World,
  webhooks: readonly CallWebhook[],
  acknowledged: Map<string, number>,
): Promise<void> {
  for (const { id, body } of webhooks) {
    await sendLikeLiveKit(() => world.server.url, body);
    acknowledged.set(id, Date.now());
  }
}

const latency = (arrivedAt = Infinity, acknowledgedAt = 0): number => Math.max(arrivedAt - acknowledgedAt, 0);
