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
    sip: { delivery: { schedule: ["500ms", "500ms", "500ms", "500ms"] } },
  });
  try {
    for (const tenant of TENANTS) {
      record.watch(tenant, world.tenant(tenant), async (request) => {
        await Bun.sleep(1);
        return { status: request.header("webhook-id") === refused.id ? 400 : 200 };
      });
    }
    const calls = [bad, ...Array.from({ length: size }, (_, i) => callWebhooks(`good${i}`, [chance.pick(TENANTS)]))];
    await Promise.all(calls.map((call) => sendAll(world, call)));
    const missing = await waitForAll(
      calls.flat().filter(({ id }) => id !== refused.id),
      record,
    );

    const times = Map.groupBy(record.seen, ({ id }) => id);
    const refusals = times.get(refused.id) ?? [];
    const next = times.get(bad[refused.n + 1]?.id ?? "")?.[0];
    const twice = [...times].filter(([id, requests]) => id !== refused.id && requests.length !== 1).map(([id]) => id);
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
    findings.none("another event was not delivered", missing);
    findings.none("another event was sent more than once", twice);
    findings.none("a lane's events came out of order", record.outOfOrder());
    return {
      figures: {
        "calls beside it": size,
        "events delivered": times.size - 1,
        "attempts for the refused one": refusals.length,
        "ms from its first refusal to its lane's next event": (next?.at ?? 0) - (refusals[0]?.at ?? 0),
      },
      broken: findings.broken,
    };
  } finally {
    await world.end();
  }
}

async function sendAll(world: World, webhooks: readonly CallWebhook[]): Promise<void> {
  for (const { body } of webhooks) await sendLikeLiveKit(() => world.server.url, body);
}
