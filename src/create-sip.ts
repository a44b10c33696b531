import type { Config, SipConfig } from "../plugins/config-loader";
import { HookRegistry } from "../plugins/hooks-store";
import type { MetricSources } from "../plugins/metrics";
import { createMatcher, type CreatedMatcher, type LoadedPlugin } from "../plugins/plugin-host";
import { createProvisioner } from "../plugins/provisioner";
import { createRetention } from "../plugins/retention";
import { createRoomOwner, type RoomOwner } from "../plugins/room-owner";
import { createSigningKeys } from "../plugins/signing-key";
import { createCallEndLog } from "../plugins/webhook-forwarder/create-call-end-log";
import { createDispatcher, type Dispatcher } from "../plugins/webhook-forwarder/dispatcher";
import { createSecretReader } from "../plugins/webhook-forwarder/dispatcher/read-secret";
import { warnOfRevoked, type FindRevoked } from "../plugins/webhook-forwarder/dispatcher/revoked-secrets";
import { createAsking, createEventIntake, type EventIntake } from "../plugins/webhook-forwarder/router";
import { createSender, type GuardedSender } from "../plugins/webhook-forwarder/sender";
import { systemClock, type Clock } from "./contracts/clock";
import type { Current } from "./contracts/current";
import type { Logger } from "./contracts/logger";
import type { Measures } from "./contracts/measures";
import type { Sender } from "./contracts/sender";
import type { OwnerTask, Storage } from "./contracts/storage";
import { sameValue } from "./domain/same-value";
import { selectStorage } from "./select-storage";
import { untilItWorks } from "./until-it-works";
import type { AppParts, Credentials } from "./app-parts";
import { configured, retentionLimits, settingsOf } from "./sip-settings";

/** Attempts at a time to all hooks together (delivery rule 6). */
const TOTAL_CONCURRENCY = 200;

type SipParts = AppParts & { readonly measures: Measures };

/** SIP, wired. */
export type Sip = Awaited<ReturnType<typeof createSip>>;

/** All that exists only when SIP is configured. What a reload may change is asked of `inForce`, or of `current`. */
export async function createSip(
  config: Config,
  sip: SipConfig,
  credentials: Credentials | undefined,
  parts: SipParts,
  inForce: Current<Config>,
) {
  const { measures, log, clock = systemClock, random = Math.random } = parts;
  const { plugins: loaded = [] } = parts;
  const added = await createMatchers(loaded, { clock, log });
  const brought = [...added.map(({ matcher }) => matcher), ...(parts.matchers ?? [])];
  let current = settingsOf(config, sip, brought);
  for (const { name, plugin } of loaded) {
    const asked = plugin.kind === "matcher" ? sip.matchers.includes(name) : config.storage === name;
    if (!asked) log.warn({ plugin: name }, `A plugin is loaded, but ${UNUSED[plugin.kind]}`);
  }
  const { storage, plugin: storagePlugin } =
    parts.storage === undefined
      ? await selectStorage({ storage: config.storage, plugins: loaded, dataDir: config.data_dir, clock, log })
      : { storage: parts.storage };
  const registry = await HookRegistry.load({ ...configured(sip), storage, clock, log });
  const findRevoked: FindRevoked = (hook, now) => current.findRevoked(hook, now);
  warnOfRevoked(registry.table.all(), findRevoked, log, clock.now());
  const sender: Sender & Partial<GuardedSender> =
    parts.sender ?? createSender({ allowedRanges: sip.allowed_hook_ranges });
  const readSecret = createSecretReader({ now: () => clock.monotonic() });
  const signingKeys = createSigningKeys({ sources: () => current.signingKeys, readSecret });
  const sending = {
    sender,
    clock,
    hookSecrets: () => current.hookSecrets,
    signingKeys: async (now: number) => (await signingKeys(now)).map((listed) => listed.key),
    readSecret,
    findRevoked,
  };
  const dispatcher: Dispatcher = createDispatcher({
    ...sending,
    storage,
    registry,
    log,
    measures,
    tracing: parts.tracing,
    random,
    concurrency: { total: TOTAL_CONCURRENCY },
  });
  const livekit = credentials === undefined ? undefined : { url: config.livekit.url, ...credentials, clock, log };
  const owner: RoomOwner | undefined =
    livekit !== undefined && sip.set_room_owner
      ? createRoomOwner({ ...livekit, onDone: (task) => void storage.ownerTaskDone(task).catch(logTaskError) })
      : undefined;
  const retention = createRetention({ storage, limits: () => retentionLimits(inForce()), clock, log });
  const asking = createAsking({ clock, log, deadlineMs: sip.matcher_deadline, history: storage });
  const matchingRules = { hostHeaders: sip.host_headers, setRoomOwner: owner !== undefined, asking };
  const matching = () => ({ ...matchingRules, matchers: current.matchers });
  const wanted = () => ["debug", "info"].includes(inForce().log.level);
  const callEnds = createCallEndLog({ history: storage, clock, log, wanted });
  const intake: EventIntake = createEventIntake({
    matching,
    roomPrefix: sip.room_prefix,
    registry,
    storage,
    clock,
    log,
    measures,
    tracing: parts.tracing,
    onDeliveries: dispatcher.wake,
    onOwnerTask: (task) => owner?.claim(task),
    onRoomFinished: ({ roomSid, roomName }) => {
      if (roomSid === undefined) return;
      owner?.roomFinished(roomSid);
      callEnds.ended(roomSid, roomName);
    },
  });
  const provisioner =
    livekit === undefined || !sip.provision
      ? undefined
      : createProvisioner({
          ...livekit,
          roomPrefix: sip.room_prefix,
          allowedAddresses: sip.allowed_addresses,
          maxParticipants: sip.max_participants,
          hostHeaders: sip.host_headers,
        });

  storage.onWork?.(dispatcher.wake);
  storage.onHooksChanged?.(() => void registry.reload());

  function logTaskError(error: unknown): void {
    // Fails open because the room has its owner; after a restart that is only looked up once more.
    log.error({ err: error }, "That a SIP room has its owner could not be saved");
  }

  let stopped = false;
  async function startSending(): Promise<void> {
    await dispatcher.start();
    for (const task of await storage.ownerTasks()) owner?.claim(task);
  }

  const shown: MetricSources["sip"] = {
    webhooks: () => intake.counts,
    gaps: intake.freshness,
    present: () => ({
      inFlight: dispatcher.underWay,
      openBreakers: dispatcher.openBreakers,
      hooks: registry.table.size,
      pausedHooks: registry.pausedCount,
    }),
    figures: storage.figures?.bind(storage),
  };
  const onOwnerTask = (task: OwnerTask) => void owner?.claim(task);

  /** `inForce` is run when nothing can fail any more. */
  async function reload(nextConfig: Config, next: SipConfig, putInForce: () => void): Promise<void> {
    const settings = settingsOf(nextConfig, next, brought);
    await registry.reconfigure(configured(next), () => {
      const before = current;
      current = settings;
      if (!sameValue(before.allowedRanges, settings.allowedRanges)) sender.allowRanges?.(settings.allowedRanges);
      putInForce();
    });
    warnOfRevoked(registry.table.all(), findRevoked, log, clock.now());
  }

  return {
    reload,
    rules: () => current.rules,
    plugins: [...added, ...(storagePlugin === undefined ? [] : [storagePlugin])],
    history: {
      history: storage,
      registry,
      breakerOf: dispatcher.breakerOf,
      matching,
      onDeliveries: dispatcher.wake,
      onOwnerTask,
    },
    explain: { history: storage, registry, breakerOf: dispatcher.breakerOf, matching, roomPrefix: sip.room_prefix },
    hookTest: { ...sending, registry, breakerOf: dispatcher.breakerOf, roomPrefix: sip.room_prefix },
    metrics: shown,
    signingKeys,
    registry,
    breakerOf: dispatcher.breakerOf,
    intake,
    async start(): Promise<void> {
      intake.start();
      retention.start();
      // A shared storage is on another machine, which may be away for a moment.
      if (storage.onWork === undefined) await startSending();
      else await untilItWorks(startSending, { clock, log, goesOn: () => !stopped });
      if (credentials === undefined) {
        log.info(
          {},
          "LiveKit credentials are missing: SIP is not provisioned, and webhooks are answered 503. Set LIVEKIT_API_KEY and LIVEKIT_API_SECRET",
        );
      }
      if (provisioner !== undefined) await oneAtATime(storage, "provision", () => provisioner.run());
    },
    async notReady(): Promise<readonly string[]> {
      const reasons: string[] = [];
      if (credentials === undefined)
        reasons.push("LiveKit credentials are missing (LIVEKIT_API_KEY, LIVEKIT_API_SECRET)");
      const provisioning = provisioner?.state();
      if (provisioning !== undefined && provisioning.kind !== "done") {
        const problem = provisioning.kind === "running" ? provisioning.problem : undefined;
        const suffix = problem === undefined ? "" : `: ${problem}`;
        reasons.push(`LiveKit's SIP trunk and dispatch rule are not provisioned yet${suffix}`);
      }
      await storage.checkWritable().catch((error: unknown) => {
        log.error({ err: error }, "The storage cannot be written");
        reasons.push("the storage cannot be written");
      });
      return reasons;
    },
    async stopSending(graceMs: number): Promise<void> {
      stopped = true;
      provisioner?.stop();
      owner?.stop();
      await dispatcher.stop(graceMs);
      sender.close();
    },
    async close(): Promise<void> {
      intake.stop();
      callEnds.stop();
      retention.stop();
      registry.stop();
      for (const plugin of added) await plugin.close();
      await storage.close();
    },
  };
}

function oneAtATime(storage: Storage, name: string, run: () => Promise<void>): Promise<void> {
  return storage.exclusive === undefined ? run() : storage.exclusive(name, run);
}

const UNUSED = {
  matcher: "never asked: sip.matchers does not name it",
  storage: "keeps nothing: storage (STORAGE_URL) does not name it",
} as const;

async function createMatchers(
  plugins: readonly LoadedPlugin[],
  surroundings: { readonly clock: Clock; readonly log: Logger },
): Promise<readonly CreatedMatcher[]> {
  const created: CreatedMatcher[] = [];
  for (const loaded of plugins) {
    if (loaded.plugin.kind === "matcher") created.push(await createMatcher(loaded, loaded.plugin, surroundings));
  }
  return created;
}
