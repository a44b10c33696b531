import { auth, type AuthOptions } from "../plugins/auth";
import { planReload, type Config, type ReloadPlan } from "../plugins/config-loader";
import { systemClock } from "./contracts/clock";
import { newMeasures } from "./contracts/measures";
import type { AppParts } from "./app-parts";
import { createSip } from "./create-sip";
import { routes } from "./routes";

export type { AppParts } from "./app-parts";

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

/**
 * Wires the plugins. Which implementations are used is known here, in `createSip` and in `routes` only.
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

const authOptionsOf = ({ auth: { required, api_secrets: secrets } }: Config): AuthOptions => ({ required, secrets });
