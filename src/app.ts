import { Elysia } from "elysia";
import { auth, type AuthPlugin } from "../plugins/auth";
import { configLoader, type Config, type SipConfig } from "../plugins/config-loader";
import { explain } from "../plugins/explain";
import { health } from "../plugins/health";
import { history } from "../plugins/history";
import { HookRegistry, hooksStore } from "../plugins/hooks-store";
import { httpErrors } from "../plugins/http-errors";
import type { SecretGrants } from "../plugins/hooks-store/secret-grants";
import { openapiDocs } from "../plugins/openapi-docs";
import { createMatcher, pluginRoutes, type CreatedMatcher, type LoadedPlugin } from "../plugins/plugin-host";
import { createProvisioner } from "../plugins/provisioner";
import { createRetention } from "../plugins/retention";
import { createRoomOwner, type RoomOwner } from "../plugins/room-owner";
import { createSigningKeys, signingKey } from "../plugins/signing-key";
import { sipOff } from "../plugins/sip-off";
import { createDispatcher, type Dispatcher } from "../plugins/webhook-forwarder/dispatcher";
import { createSecretReader } from "../plugins/webhook-forwarder/dispatcher/read-secret";
import { revokedBy, warnOfRevoked } from "../plugins/webhook-forwarder/dispatcher/revoked-secrets";
import { builtInMatchers } from "../plugins/webhook-forwarder/matchers";
import { receiver } from "../plugins/webhook-forwarder/receiver";
import { createAsking, createEventIntake, type EventIntake } from "../plugins/webhook-forwarder/router";
import { createSender } from "../plugins/webhook-forwarder/sender";
import packageJson from "../package.json" with { type: "json" };
import { systemClock, type Clock } from "./contracts/clock";
import type { Logger } from "./contracts/logger";
import type { Matcher } from "./contracts/matcher";
import type { Sender } from "./contracts/sender";
import type { OwnerTask, Storage } from "./contracts/storage";
import type { DeliveryPolicy } from "./domain/delivery-policy";
import type { CallRoute } from "./domain/call-route";
import { readWritten } from "./domain/credentials";
import { fromSettings } from "./domain/delivery-settings";
import { hookId, type Hook } from "./domain/hook";
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
  /** What the configuration's `plugins` name, loaded: matchers beside the built-in ones, storages. */
  readonly plugins?: readonly LoadedPlugin[];
  /** More matchers; `sip.matchers` names those that are asked. */
  readonly matchers?: readonly Matcher[];
};

/** The wired service. `app` serves requests as soon as it listens; `start` begins sending and provisioning. */
export type SaynaSip = {
  readonly app: ReturnType<typeof routes>;
  /**
   * Resolves when LiveKit is provisioned, or when that is not to be done.
   *
   * @throws ProvisioningError when it failed for good, unless `stop` came first.
   */
  start(): Promise<void>;
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
  const { api_key: apiKey, api_secret: apiSecret } = config.livekit;
  const credentials = apiKey === undefined || apiSecret === undefined ? undefined : { apiKey, apiSecret };
  const authPlugin = auth({ required: config.auth.required, secrets: config.auth.api_secrets });
  const sip = config.sip === undefined ? undefined : await createSip(config, config.sip, credentials, parts);
  const keys = [
    ...(credentials === undefined ? [] : [credentials]),
    ...config.livekit.webhook_keys.map((key) => ({ apiKey: key.api_key, apiSecret: key.api_secret })),
  ];
  let stopping = false;

  async function notReady(): Promise<readonly string[]> {
    if (stopping) return ["the service is stopping"];
    return sip === undefined ? [] : sip.notReady();
  }

  return {
    app: routes({ config, authPlugin, sip, keys, notReady, clock, log }),
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
  readonly sip: Sip | undefined;
  readonly keys: readonly Credentials[];
  readonly notReady: () => Promise<readonly string[]>;
  readonly clock: Clock;
  readonly log: Logger;
};

function routes({ config, authPlugin, sip, keys, notReady, clock, log }: RouteOptions) {
  // `normalize` counts here only: with it Elysia would silently strip unknown members of a request.
  return new Elysia({ name: "sayna-sip", normalize: false })
    .use(httpErrors({ log }))
    .use(configLoader({ config }))
    .use(openapiDocs({ version: packageJson.version }))
    .use(health({ reasons: notReady }))
    .use(receiver({ keys, take: sip?.intake.take, clock, log }))
    .use(sip === undefined ? sipOff({ auth: authPlugin }) : sipRoutes({ config, authPlugin, sip, clock, log }));
}

type SipRouteOptions = Pick<RouteOptions, "config" | "authPlugin" | "clock" | "log"> & { readonly sip: Sip };

function sipRoutes({ config, authPlugin, sip, clock, log }: SipRouteOptions) {
  return new Elysia({ name: "sayna-sip/sip" })
    .use(signingKey({ clock, keys: sip.signingKeys }))
    .use(
      hooksStore({
        auth: authPlugin,
        registry: sip.registry,
        breakerOf: sip.breakerOf,
        authRequired: config.auth.required,
        secretGrants: secretGrants(config, sip.config),
      }),
    )
    .use(history({ auth: authPlugin, clock, log, ...sip.history }))
    .use(explain({ auth: authPlugin, clock, ...sip.explain }))
    .use(pluginRoutes({ auth: authPlugin, plugins: sip.plugins }));
}

type Sip = Awaited<ReturnType<typeof createSip>>;

/** All that exists only when SIP is configured. */
async function createSip(config: Config, sip: SipConfig, credentials: Credentials | undefined, parts: AppParts) {
  const { log, clock = systemClock, random = Math.random } = parts;
  const { plugins: loaded = [] } = parts;
  const added = await createMatchers(loaded, { clock, log });
  const matchers = selectMatchers(sip.matchers, builtInMatchers(toRoutes(sip)), [
    ...added.map(({ matcher }) => matcher),
    ...(parts.matchers ?? []),
  ]);
  for (const { name, plugin } of loaded) {
    const asked = plugin.kind === "matcher" ? sip.matchers.includes(name) : config.storage === name;
    if (!asked) log.warn({ plugin: name }, `A plugin is loaded, but ${UNUSED[plugin.kind]}`);
  }
  const { storage, plugin: storagePlugin } =
    parts.storage === undefined
      ? await selectStorage({ storage: config.storage, plugins: loaded, dataDir: config.data_dir, clock, log })
      : { storage: parts.storage };
  const { max_age: maxAge, ...delivery } = sip.delivery;
  const policy: DeliveryPolicy = { ...delivery, maxAge };
  const registry = await HookRegistry.load({ configHooks: toHooks(sip), policy, storage, clock, log });
  const findRevoked = revokedBy(secretGrants(config, sip));
  warnOfRevoked(registry.table.all(), findRevoked, log, clock.now());
  const sender = parts.sender ?? createSender({ allowedRanges: sip.allowed_hook_ranges });
  const readSecret = createSecretReader({ now: () => clock.monotonic() });
  const { signing_key: key, previous_signing_key: previousKey } = sip;
  const previous = previousKey === undefined ? undefined : { secret: previousKey.key, until: previousKey.until };
  const signingKeys = key === undefined ? undefined : createSigningKeys({ key, previous, readSecret });
  const dispatcher: Dispatcher = createDispatcher({
    storage,
    registry,
    sender,
    clock,
    log,
    random,
    concurrency: { total: TOTAL_CONCURRENCY },
    hookSecret: sip.hook_secret,
    previousHookSecret: sip.previous_hook_secret,
    signingKeys: async (now) => ((await signingKeys?.(now)) ?? []).map((listed) => listed.key),
    readSecret,
    findRevoked,
  });
  const livekit = credentials === undefined ? undefined : { url: config.livekit.url, ...credentials, clock, log };
  const owner: RoomOwner | undefined =
    livekit !== undefined && sip.set_room_owner
      ? createRoomOwner({ ...livekit, onDone: (task) => void storage.ownerTaskDone(task).catch(logTaskError) })
      : undefined;
  const { max_size: maxSize, ...ages } = config.retention;
  const retention = createRetention({ storage, limits: { ...ages, maxSize }, clock, log });
  const asking = createAsking({ clock, log, deadlineMs: sip.matcher_deadline, history: storage });
  const matching = { matchers, hostHeaders: sip.host_headers, setRoomOwner: owner !== undefined, asking };
  const intake: EventIntake = createEventIntake({
    ...matching,
    roomPrefix: sip.room_prefix,
    registry,
    storage,
    clock,
    log,
    onDeliveries: dispatcher.wake,
    onOwnerTask: (task) => owner?.claim(task),
    onRoomFinished: (event) => event.roomSid !== undefined && owner?.roomFinished(event.roomSid),
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

  const onOwnerTask = (task: OwnerTask) => void owner?.claim(task);

  return {
    config: sip,
    plugins: [...added, ...(storagePlugin === undefined ? [] : [storagePlugin])],
    history: { history: storage, registry, matching, onDeliveries: dispatcher.wake, onOwnerTask },
    explain: { history: storage, registry, breakerOf: dispatcher.breakerOf, matching, roomPrefix: sip.room_prefix },
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

function toRoutes({ routes: entries }: SipConfig): readonly CallRoute[] {
  return entries.flatMap(({ hook, number, number_prefix: prefix, trunk, attribute, value }): CallRoute[] => {
    if (number !== undefined) return [{ hook, when: { kind: "number", number } }];
    if (prefix !== undefined) return [{ hook, when: { kind: "number_prefix", prefix } }];
    if (trunk !== undefined) return [{ hook, when: { kind: "trunk", trunk } }];
    if (attribute === undefined || value === undefined) return [];
    return [{ hook, when: { kind: "attribute", attribute, value } }];
  });
}

function toHooks(sip: SipConfig): readonly Hook[] {
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
