import * as fc from "fast-check";
import type { Report, Scenario } from "../scenario";
import { answer } from "./answers";
import { happenings } from "./happenings";
import { urlOf } from "./hook-keys";
import { checkPromises, checkTimes } from "./invariants";
import { newModel, type Model } from "./model";
import { BrokenPromise } from "./promise";
import { CHANGEABLE_HOSTS, FIXED_HOST, FIXED_TENANT, ModelWorld, TENANTS } from "./world";

const MOST_COMMANDS = 60;
/** Turns of half a minute, the longest wait of a breaker, until everything must have ended: longer than any Retry-After. */
const MOST_TURNS = 400;

/** Random sequences of everything that can happen, against a plain model. */
export const deliveryModel: Scenario = {
  name: "delivery-model",
  about: "random sequences of events, answers, kills, hook changes, replays and clock turns against a plain model",
  unit: "sequences",
  short: 50,
  long: 5_000,
  run: compareWithModel,
};

async function compareWithModel(seed: number, size: number): Promise<Report> {
  const counts = { events: 0, attempts: 0, probes: 0, kills: 0 };
  const states = new Map<string, number>();
  const property = fc.asyncProperty(
    fc.commands([...happenings], { maxCommands: MOST_COMMANDS, size: "max" }),
    async (commands) => {
      const world = await ModelWorld.start();
      try {
        const model = newModel();
        await fillTable(model, world);
        await fc.asyncModelRun(() => ({ model, real: world }), commands);
        await comeToAnEnd(model, world);
        counts.events += model.kept.size;
        counts.attempts += world.attempts.length;
        counts.probes += model.times.probes;
        counts.kills += world.kills;
        for (const { state } of world.stored()) states.set(state, (states.get(state) ?? 0) + 1);
      } finally {
        await world.app.end();
      }
    },
  );
  const details = await fc.check(property, { seed, numRuns: size });
  return {
    figures: {
      sequences: details.numRuns,
      "acknowledged events": counts.events,
      attempts: counts.attempts,
      "of these, probes of an open breaker": counts.probes,
      kills: counts.kills,
      ...Object.fromEntries([...states].map(([state, n]) => [`deliveries that ended ${state}`, n])),
    },
    broken: details.failed ? [`${fc.defaultReportMessage(details)}\n${causeOf(details.errorInstance)}`] : [],
  };
}

const causeOf = (error: unknown): string => (error instanceof Error ? String(error.stack) : String(error));

/** Each changeable host begins with a hook, each of another tenant. */
async function fillTable(model: Model, world: ModelWorld): Promise<void> {
  model.table.set(FIXED_HOST, { tenant: FIXED_TENANT, url: urlOf(FIXED_HOST, FIXED_TENANT, 0) });
  for (const [i, host] of CHANGEABLE_HOSTS.entries()) {
    const tenant = TENANTS[i % TENANTS.length] ?? TENANTS[0];
    model.table.set(host, { tenant, url: urlOf(host, tenant, 0) });
  }
  const hooks = CHANGEABLE_HOSTS.map((host) => ({ host, ...model.table.get(host) }));
  const entries = hooks.map(({ host, tenant, url }) => ({ host, url, auth_id: tenant }));
  await world.ask("POST", "/sip/hooks", { hooks: entries });
}

/** From now on every endpoint answers 200: everything must end. */
async function comeToAnEnd(model: Model, world: ModelWorld): Promise<void> {
  for (const hook of model.paused) world.released(hook);
  model.paused.clear();
  await world.ask("POST", "/sip/hooks/resume", { hosts: [...model.table.keys()] });
  await world.quiet();
  for (let i = 0; i < MOST_TURNS; i++) {
    while (world.underWay.length > 0) {
      for (const attempt of world.underWay) answer(world, attempt, "200");
      await world.quiet();
    }
    const stored = world.stored();
    checkTimes(model, world, stored);
    if (stored.every(({ state }) => state !== "pending")) break;
    await world.clock.turn(30_000);
    await world.quiet();
  }
  const stuck = world.stored().filter(({ state }) => state === "pending");
  if (stuck.length > 0) throw new BrokenPromise(`a delivery is stuck: ${JSON.stringify(stuck)}`);
  checkPromises(model, world, { sent: [], urlsBefore: new Set() });
}
