import { Elysia } from "elysia";
import { auth, createCurrentAuthenticator, type AuthOptions, type AuthPlugin } from "../plugins/auth";
import { configLoader, planReload, type Config, type ReloadPlan, type SipConfig } from "../plugins/config-loader";
import { explain } from "../plugins/explain";
import { health } from "../plugins/health";
import { history } from "../plugins/history";
import { HookRegistry, hooksStore, type ConfiguredHooks } from "../plugins/hooks-store";
import { httpErrors } from "../plugins/http-errors";
import type { SecretGrants } from "../plugins/hooks-store/secret-grants";
import { metrics, type MetricSources } from "../plugins/metrics";
import { openapiDocs } from "../plugins/openapi-docs";
import { createMatcher, pluginRoutes, type CreatedMatcher, type LoadedPlugin } from "../plugins/plugin-host";
import { createProvisioner } from "../plugins/provisioner";
import { createRetention } from "../plugins/retention";
import { createRoomOwner, type RoomOwner } from "../plugins/room-owner";
import { createSigningKeys, signingKey } from "../plugins/signing-key";
import { sipOff } from "../plugins/sip-off";
import { createCallEndLog } from "../plugins/webhook-forwarder/create-call-end-log";
import { createDispatcher, type Dispatcher } from "../plugins/webhook-forwarder/dispatcher";
import { createSecretReader } from "../plugins/webhook-forwarder/dispatcher/read-secret";
import { revokedBy, warnOfRevoked, type FindRevoked } from "../plugins/webhook-forwarder/dispatcher/revoked-secrets";
import { hookTest } from "../plugins/webhook-forwarder/hook-test";
import { builtInMatchers } from "../plugins/webhook-forwarder/matchers";
import { receiver } from "../plugins/webhook-forwarder/receiver";
import { createAsking, createEventIntake, type EventIntake } from "../plugins/webhook-forwarder/router";
import { createSender, type GuardedSender } from "../plugins/webhook-forwarder/sender";
import packageJson from "../package.json" with { type: "json" };
import { systemClock, type Clock } from "./contracts/clock";
import type { Current } from "./contracts/current";
import type { Logger } from "./contracts/logger";
import { newMeasures, type Measures } from "./contracts/measures";
import type { Matcher } from "./contracts/matcher";
import type { Sender } from "./contracts/sender";
import type { OwnerTask, Storage } from "./contracts/storage";
import type { RetentionLimits } from "./contracts/upkeep";
import type { Tracing } from "./contracts/tracing";
import type { CallRoute } from "./domain/call-route";
import { readWritten } from "./domain/credentials";
import { fromSettings } from "./domain/delivery-settings";
import { hookId, type Hook } from "./domain/hook";
import { sameValue } from "./domain/same-value";
import type { Secret, SecretSource } from "./domain/secret";
import { selectMatchers } from "./select-matchers";
import { selectStorage } from "./select-storage";
import { untilItWorks } from "./until-it-works";

/** What a program that embeds the service, or a test, may put in the place of the usual parts. */
export type AppParts = {
  readonly log: Logger;
  readonly clock?: Clock;
  /** From 0 to 1, for the jitter of retries. */
  readonly random?: () => number;
  readonly storage?: Storage;
  readonly sender?: Sender;
  /** Nothing is traced without it. */
  readonly tracing?: Tracing | undefined;
  /** What the configuration's `plugins` name, loaded: matchers beside the built-in ones, storages. */
  readonly plugins?: readonly LoadedPlugin[];
  /** More matchers; `sip.matchers` names those that are asked. */
  readonly matchers?: readonly Matcher[];
};

/** The wired service. `app` serves requests as soon as it listens; `start` begins sending and provisioning. */
export type SaynaSip = {
  readonly app: ReturnType<typeof routes>;
  /** Serves what `app` does not when there is a `server.management`: all but the webhooks, and the health checks as well. */
  readonly management: ReturnType<typeof routes> | undefined;
  /**
   * Resolves when LiveKit is provisioned, or when that is not to be done.
   *
   * @throws ProvisioningError when it failed for good, unless `stop` came first.
   */
  start(): Promise<void>;
  /**
   * Puts in force what of this configuration can change without a restart, all of it or nothing, and says what that is and
   * what waits for a restart. To be called when the last one has ended.
   *
   * @throws MatcherError when `sip.matchers` names an unknown one; what the storage says when it cannot take the hooks.
   */
  reload(next: Config): Promise<Omit<ReloadPlan, "config">>;
  /** Sends nothing more and waits for what is under way, `graceMs` at most; webhooks are still taken. */
  stopSending(graceMs: number): Promise<void>;
  /** Closes the storage; nothing may come in any more. */
  close(): Promise<void>;
};

type Credentials = { readonly apiKey: string; readonly apiSecret: Secret };

/** Attempts at a time to all hooks together (delivery rule 6). */
const TOTAL_CONCURRENCY = 200;

/**
 * Wires the plugins; the one place that knows which implementations are used.
 *
 * @throws StorageOpenError when the storage cannot be opened; MatcherError, StorageChoiceError when `sip.matchers` or
 *   `storage` name an unknown one; PluginStartError when a plugin cannot be created.
 */
export async function createApp(config: Config, parts: AppParts): Promise<SaynaSip> {
  const { log, clock = systemClock } = parts;
  /** What is in force: a reload replaces it. */
  let inForce = config;
  let authOptions = authOptionsOf(config);
  const { api_key: apiKey, api_secret: apiSecret } = config.livekit;
  const credentials = apiKey === undefined || apiSecret === undefined ? undefined : { apiKey, apiSecret };
  const measures = newMeasures();
  const authPlugin = auth(() => authOptions, log);
  const sip =
    config.sip === undefined
      ? undefined
      : await createSip(config, config.sip, credentials, { ...parts, measures }, () => inForce);
  const keys = [
    ...(credentials === undefined ? [] : [credentials]),
    ...config.livekit.webhook_keys.map((key) => ({ apiKey: key.api_key, apiSecret: key.api_secret })),
  ];
  let stopping = false;

  async function notReady(): Promise<readonly string[]> {
    if (stopping) return ["the service is stopping"];
    return sip === undefined ? [] : sip.notReady();
  }

  const traced = parts.tracing !== undefined;
  const shared = { config, authPlugin, sip, keys, notReady, measures, traced, clock, log };
  const options = { ...shared, authOptions: () => authOptions };
  const twoPorts = config.server.management !== undefined;
  return {
    app: routes(options, twoPorts ? "webhooks" : "all"),
    management: twoPorts ? routes(options, "management") : undefined,
    reload: async (next) => {
      const { config: planned, ...changes } = planReload(inForce, next);
      const putInForce = () => {
        inForce = planned;
        authOptions = authOptionsOf(planned);
      };
      if (sip === undefined || planned.sip === undefined) putInForce();
      else await sip.reload(planned, planned.sip, putInForce);
      return changes;
    },
    start: async () => {
      await sip?.start();
    },
    stopSending: async (graceMs) => {
      stopping = true;
      await sip?.stopSending(graceMs);
    },
    close: async () => {
      await sip?.close();
    },
  };
}

type RouteOptions = {
  readonly config: Config;
  readonly authPlugin: AuthPlugin;
  readonly authOptions: Current<AuthOptions>;
  readonly sip: Sip | undefined;
  readonly keys: readonly Credentials[];
  readonly notReady: () => Promise<readonly string[]>;
  readonly measures: Measures;
  readonly traced: boolean;
  readonly clock: Clock;
  readonly log: Logger;
};

/** `webhooks` and `management` have the health checks, each, because each is watched. */
function routes({ notReady, log, ...options }: RouteOptions, which: "all" | "webhooks" | "management") {
  // `normalize` counts here only: with it Elysia would silently strip unknown members of a request.
  return new Elysia({ name: "sayna-sip", normalize: false })
    .use(httpErrors({ log }))
    .use(configLoader({ config: options.config }))
    .use(which === "webhooks" ? nothing() : documentation(options))
    .use(health({ reasons: notReady }))
    .use(which === "management" ? nothing() : webhookRoutes({ ...options, log }))
    .use(which === "webhooks" ? nothing() : managementRoutes({ ...options, log }));
}

const nothing = () => new Elysia({ name: "sayna-sip/nothing" });

function documentation({ authOptions }: Pick<RouteOptions, "authOptions">) {
  const authenticate = createCurrentAuthenticator(authOptions);
  return openapiDocs({ version: packageJson.version, authenticate: (request) => authenticate(request) });
}

function webhookRoutes({ keys, sip, measures, traced, clock, log }: Omit<RouteOptions, "notReady">) {
  return receiver({ keys, take: sip?.intake.take, measures, traced, clock, log });
}

function managementRoutes({ authPlugin, sip, measures, clock, log }: Omit<RouteOptions, "notReady">) {
  return new Elysia({ name: "sayna-sip/management" })
    .use(metrics({ auth: authPlugin, version: packageJson.version, measures, sip: sip?.metrics, clock, log }))
    .use(sip === undefined ? sipOff({ auth: authPlugin }) : sipRoutes({ authPlugin, sip, clock, log }));
}

type SipRouteOptions = Pick<RouteOptions, "authPlugin" | "clock" | "log"> & { readonly sip: Sip };

function sipRoutes({ authPlugin, sip, clock, log }: SipRouteOptions) {
  return new Elysia({ name: "sayna-sip/sip" })
    .use(signingKey({ clock, keys: sip.signingKeys }))
    .use(
      hooksStore({
        auth: authPlugin,
        registry: sip.registry,
        breakerOf: sip.breakerOf,
        rules: sip.rules,
      }),
    )
    .use(hookTest({ auth: authPlugin, log, ...sip.hookTest }))
    .use(history({ auth: authPlugin, clock, log, ...sip.history }))
    .use(explain({ auth: authPlugin, clock, ...sip.explain }))
    .use(pluginRoutes({ auth: authPlugin, plugins: sip.plugins }));
}

type SipParts = AppParts & { readonly measures: Measures };
type Sip = Awaited<ReturnType<typeof createSip>>;

/** All that exists only when SIP is configured. What a reload may change is asked of `inForce`, or of `current`. */
async function createSip(
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
    history: { history: storage, registry, matching, onDeliveries: dispatcher.wake, onOwnerTask },
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

const authOptionsOf = ({ auth: { required, api_secrets: secrets } }: Config): AuthOptions => ({ required, secrets });

function retentionLimits({ retention: { max_size: maxSize, ...ages } }: Config): RetentionLimits {
  return { ...ages, maxSize };
}

/** What a reload replaces, made ready for those who use it: one object, so that they change together. */
function settingsOf(config: Config, sip: SipConfig, brought: readonly Matcher[]) {
  const { signing_key: key, previous_signing_key: previousKey } = sip;
  const grants = secretGrants(config, sip);
  return {
    matchers: selectMatchers(sip.matchers, builtInMatchers(toRoutes(sip)), brought),
    allowedRanges: sip.allowed_hook_ranges,
    hookSecrets: { hookSecret: sip.hook_secret, previousHookSecret: sip.previous_hook_secret },
    signingKeys: {
      key,
      previous: previousKey === undefined ? undefined : { secret: previousKey.key, until: previousKey.until },
    },
    rules: { authRequired: config.auth.required, secretGrants: grants },
    findRevoked: revokedBy(grants),
  };
}

function configured(sip: SipConfig): ConfiguredHooks {
  const { max_age: maxAge, ...delivery } = sip.delivery;
  return { configHooks: toHooks(sip), policy: { ...delivery, maxAge } };
}

/** What the configuration says of calls that belong to a hook by something else than their host. */
export function toRoutes({ routes: entries }: SipConfig): readonly CallRoute[] {
  return entries.flatMap(({ hook, number, number_prefix: prefix, trunk, attribute, value }): CallRoute[] => {
    if (number !== undefined) return [{ hook, when: { kind: "number", number } }];
    if (prefix !== undefined) return [{ hook, when: { kind: "number_prefix", prefix } }];
    if (trunk !== undefined) return [{ hook, when: { kind: "trunk", trunk } }];
    if (attribute === undefined || value === undefined) return [];
    return [{ hook, when: { kind: "attribute", attribute, value } }];
  });
}

/** The hooks of the configuration. */
export function toHooks(sip: SipConfig): readonly Hook[] {
  return sip.hooks.map(
    ({ host, url, auth_id: authId, secret, previous_secret: previousSecret, credentials, delivery }) => ({
      id: hookId(host, authId),
      host,
      url,
      source: "config",
      ...(authId === undefined ? {} : { authId }),
      ...(secret === undefined ? {} : { secret }),
      ...(previousSecret === undefined ? {} : { previousSecret }),
      ...(credentials === undefined ? {} : { credentials: readWritten<SecretSource>(credentials) }),
      ...(delivery === undefined ? {} : { policy: fromSettings(delivery) }),
    }),
  );
}

function secretGrants({ auth: { api_secrets: secrets } }: Config, sip: SipConfig): SecretGrants {
  const tenants = secrets.filter(({ role }) => role === "tenant");
  const ofTenants = new Map(tenants.map(({ id, secret_refs: refs }) => [id, refs]));
  return { ofOperators: sip.allowed_secret_refs, ofTenants };
}
