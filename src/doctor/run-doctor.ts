import type { Config, SipConfig } from "../../plugins/config-loader";
import type { ExplainAnswer } from "../../plugins/explain/explain-schemas";
import type { Clock } from "../contracts/clock";
import type { AskedCall } from "./asked-call";
import { judgeClock, readLiveKitClock } from "./check-clock";
import { checkConfiguration } from "./check-configuration";
import { checkHooks, type HookTester } from "./check-hooks";
import { judgeMatch, judgePast, LOOKED_AT, type MatchedCall } from "./check-host";
import { checkLive } from "./check-live";
import { checkLiveKit, type LiveKitState } from "./check-livekit";
import { checkService, type Service, type ServiceState } from "./check-service";
import { checkStorage } from "./check-storage";
import { checkTrunkAndRule } from "./check-trunk-and-rule";
import { skipped, type Finding } from "./finding";
import { testByService, testFromHere } from "./hook-testers";
import { matchedByService, matchFromHere } from "./match-from-here";

export type DoctorOptions = {
  readonly config: Config;
  readonly service: Service;
  readonly clock: Clock;
  /** Narrows to why the calls to one host do not arrive. */
  readonly call: AskedCall | undefined;
  /** Also makes a room, and waits so long for LiveKit's webhook of it, in ms. */
  readonly live: { readonly patienceMs: number } | undefined;
  /** Told what is being done. */
  readonly onStep: (text: string) => void;
};

/** Looks at all that a call needs to reach its tenant, from LiveKit to the hook; changes nothing but for `live`'s room. */
export async function runDoctor(options: DoctorOptions): Promise<readonly Finding[]> {
  const { config, service, clock, call, onStep } = options;
  const { sip } = config;
  const configuration = checkConfiguration(config);
  if (sip === undefined) return configuration;
  onStep("Looking at the storage, the service and LiveKit …");
  const [storage, livekit, reading] = await Promise.all([
    checkStorage(config),
    checkLiveKit(config, clock),
    readLiveKitClock(config.livekit.url, clock),
  ]);
  const state = await checkService(service, storage.holder);
  const matched = call === undefined ? undefined : await matchCall(call, sip, state, options);
  const host = call === undefined || matched === undefined ? [] : await checkHost(call, matched, state, service);
  const hooks = await checkAllHooks(sip, state, matched, options);
  const live =
    options.live === undefined ? [] : await goLive(sip, livekit, state, hooks, { ...options, ...options.live });
  return [
    ...configuration,
    ...storage.findings,
    ...state.findings,
    ...livekit.findings,
    judgeClock(reading, livekit.clockDiffers),
    ...checkTrunkAndRule(sip, livekit.listed, call?.user),
    ...hooks,
    ...host,
    ...live,
  ];
}

async function matchCall(
  call: AskedCall,
  sip: SipConfig,
  { opened }: ServiceState,
  { service, clock }: DoctorOptions,
): Promise<MatchedCall> {
  if (!opened) return matchFromHere(call, sip, clock);
  const hosts = await testByService(service).hosts();
  return matchedByService(await service.send<ExplainAnswer>("POST", "/sip/explain", call.question), hosts);
}

async function checkHost(
  call: AskedCall,
  matched: MatchedCall,
  { opened }: ServiceState,
  service: Service,
): Promise<readonly Finding[]> {
  const match = judgeMatch(call, matched);
  if (!opened || call.host === undefined) return [match];
  const { hook } = matched;
  const limit = LOOKED_AT;
  const [unmatched, calls, dead] = await Promise.all([
    service.get<{ unmatched: readonly unknown[] }>("/sip/unmatched", { host: call.host, limit }),
    hook === undefined ? { calls: [] } : service.get<{ calls: readonly unknown[] }>("/sip/calls", { hook, limit }),
    hook === undefined
      ? { deliveries: [] }
      : service.get<{ deliveries: readonly unknown[] }>("/sip/deliveries", { hook, state: "dead", limit }),
  ]);
  const past = { calls: calls.calls.length, dead: dead.deliveries.length, unmatched: unmatched.unmatched.length };
  return [match, ...judgePast(call.host, hook, past)];
}

async function checkAllHooks(
  sip: SipConfig,
  { opened }: ServiceState,
  matched: MatchedCall | undefined,
  { service, clock, onStep }: DoctorOptions,
): Promise<readonly Finding[]> {
  // Which hook a call has is told under "host".
  if (matched !== undefined && matched.hook === undefined) return [];
  const onProgress = (done: number, all: number): void => onStep(`Testing hooks: ${done} of ${all} …`);
  const run = (tester: HookTester) => checkHooks(tester, matched?.hook, onProgress);
  if (opened) return run(testByService(service));
  const tester = testFromHere(sip, clock);
  try {
    // Of an empty table only the service can tell whether it is: hooks may have been added at run time.
    if ((await tester.hosts()).length === 0)
      return [skipped("hooks", "Hooks added at run time cannot be looked at without the service.")];
    return await run(tester);
  } finally {
    tester.close();
  }
}

type LiveRun = DoctorOptions & { readonly patienceMs: number };

async function goLive(
  sip: SipConfig,
  { listed }: LiveKitState,
  { opened }: ServiceState,
  hooks: readonly Finding[],
  { config, service, clock, patienceMs, onStep }: LiveRun,
): Promise<readonly Finding[]> {
  const { api_key: apiKey, api_secret: apiSecret } = config.livekit;
  if (!opened)
    return [skipped("live", "No room is made: the service could not be asked whether LiveKit's webhook came.")];
  if (listed === undefined || apiKey === undefined || apiSecret === undefined) {
    return [skipped("live", "No room is made: LiveKit cannot be asked for one, see above.")];
  }
  if (hooks.some(({ code }) => code === "no_hooks")) {
    return [skipped("live", "No room is made: without hooks the service keeps no event that would show that it came.")];
  }
  onStep("Waiting for LiveKit's webhook of a new room …");
  const livekit = { ...config.livekit, api_key: apiKey, api_secret: apiSecret };
  return checkLive({ livekit, roomPrefix: sip.room_prefix, service, clock, patienceMs });
}
