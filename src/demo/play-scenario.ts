import type { Outage } from "./check-outage";
import type { Narrator } from "./narrator";
import type { Observations } from "./observations";
import { pause } from "./pause";
import { playCall, type LiveKit } from "./play-call";
import { RECORDED_CALLS, type RecordedCall, type TenantName } from "./recorded-calls";
import type { TenantServer } from "./tenant-server";
import { waitUntil } from "./wait-until";

const { answered, cancelled, duringOutage, besideOutage } = RECORDED_CALLS;

/** Those that come in while one tenant is down. */
export const OUTAGE_CALLS: readonly RecordedCall[] = [duringOutage, besideOutage];
export const ALL_CALLS: readonly RecordedCall[] = [answered, cancelled, ...OUTAGE_CALLS];

/** Enough to see that it is tried again. */
const REFUSALS_TO_SEE = 2;

export type Stage = {
  readonly livekit: LiveKit;
  readonly tenants: Readonly<Record<TenantName, TenantServer>>;
  readonly observations: Observations;
  readonly narrator: Narrator;
  /** Between two webhooks of a call. */
  readonly paceMs: number;
  readonly signal: AbortSignal;
};

/**
 * Two calls at the same time; then two more while one tenant is down, and its return.
 *
 * @throws the signal's reason when it is aborted before all has come.
 */
export async function playScenario(stage: Stage): Promise<Outage> {
  const { observations, narrator, tenants, signal } = stage;

  narrator.heading("1. Two calls at the same time, one for each tenant", [answered, cancelled]);
  await playCalls([answered, cancelled], stage);
  await waitUntil(() => observations.haveAll([answered, cancelled]), signal);

  const down = tenants[duringOutage.tenant];
  narrator.heading(`2. ${down.name} goes down and comes back`, OUTAGE_CALLS);
  const refusalsBefore = observations.refusals;
  const refusals = (): number => observations.refusals - refusalsBefore;
  await down.goDown();
  const from = performance.now();
  narrator.note(`${down.name} has closed its port`);
  await playCalls(OUTAGE_CALLS, stage);
  await waitUntil(() => observations.haveAll([besideOutage]) && refusals() >= REFUSALS_TO_SEE, signal);
  const outage: Outage = { tenant: down.name, from, to: performance.now(), refusals: refusals() };
  down.comeBack();
  narrator.note(`${down.name} is back, after ${((outage.to - from) / 1000).toFixed(1)} s`);
  await waitUntil(() => observations.haveAll(ALL_CALLS), signal);
  return outage;
}

async function playCalls(calls: readonly RecordedCall[], stage: Stage): Promise<void> {
  const { livekit, paceMs, signal } = stage;
  const { onAnswer } = stage.observations;
  // Half a step apart, so that the calls take turns.
  const played = calls.map(async (call, i) => {
    await pause((i * paceMs) / calls.length, signal);
    await playCall(call, { livekit, paceMs, signal, onAnswer });
  });
  await Promise.all(played);
}
