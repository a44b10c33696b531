import { RECORDED_KEY, type RecordedWebhook } from "./recordings";
import { sendWebhook } from "./livekit-sender";
import { configText, ServerProcess, temporaryDirectory, type ServerOptions } from "./server-process";
import { testCa } from "./test-ca";
import { startTlsReceiver, type Answer, type TlsReceiver, type TlsReceiverOptions } from "./tls-receiver";
import type { ReceivedRequest } from "./received-request";

export type HookEntry = { readonly host: string; readonly auth_id?: string; readonly [key: string]: unknown };

export type WorldOptions = {
  /** Hooks by the name of their receiver; the url is filled in. */
  readonly tenants: Readonly<Record<string, readonly HookEntry[]>>;
  readonly sip?: Readonly<Record<string, unknown>>;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** What is special about receivers, by their names. */
  readonly receivers?: Readonly<Record<string, Omit<TlsReceiverOptions, "ca">>>;
  /** False when there will be too many to keep: `requests` of the receivers stay empty. */
  readonly keepRequests?: boolean;
};

/** The real server as a process, with a TLS receiver for each tenant. LiveKit is not provisioned unless `sip` says so. */
export class World {
  server: ServerProcess;
  readonly #options: ServerOptions;
  readonly #tenants: ReadonlyMap<string, TlsReceiver>;
  readonly #removeDirectory: () => Promise<void>;

  private constructor(
    server: ServerProcess,
    options: ServerOptions,
    tenants: ReadonlyMap<string, TlsReceiver>,
    removeDirectory: () => Promise<void>,
  ) {
    this.server = server;
    this.#options = options;
    this.#tenants = tenants;
    this.#removeDirectory = removeDirectory;
  }

  static async start({
    tenants,
    sip,
    config,
    env,
    args,
    receivers: special,
    keepRequests = true,
  }: WorldOptions): Promise<World> {
    const ca = await testCa();
    const receivers = new Map<string, TlsReceiver>();
    for (const name of Object.keys(tenants)) {
      receivers.set(name, await startTlsReceiver({ ca, keepRequests, ...special?.[name] }));
    }
    const hooks = Object.entries(tenants).flatMap(([name, entries]) =>
      entries.map((entry) => ({ url: receivers.get(name)?.url(`/${name}`) ?? "", ...entry })),
    );
    const directory = await temporaryDirectory();
    const options: ServerOptions = {
      dataDir: directory.path,
      caFile: ca.caFile,
      ...(env === undefined ? {} : { env }),
      ...(args === undefined ? {} : { args }),
      config: {
        livekit: { url: "ws://127.0.0.1:1", api_key: RECORDED_KEY.apiKey, api_secret: RECORDED_KEY.apiSecret },
        sip: {
          room_prefix: "sip-",
          provision: false,
          set_room_owner: false,
          hooks,
          delivery: { schedule: ["100ms", "200ms", "400ms", "800ms", "1s", "1s", "1s", "1s"] },
          ...sip,
        },
        ...config,
      },
    };
    return new World(await ServerProcess.start(options), options, receivers, directory.remove);
  }

  /** The configuration file's content, with these members of its `sip` block in the place of its own. */
  configWith(sip: Readonly<Record<string, unknown>>, config: Readonly<Record<string, unknown>> = {}): string {
    const own = this.#options.config ?? {};
    return configText({
      dataDir: this.#options.dataDir,
      config: { ...own, sip: { ...(own["sip"] as object), ...sip }, ...config },
    });
  }

  /** Where the configuration and, in `data`, the database are. */
  get directory(): string {
    return this.#options.dataDir;
  }

  tenant(name: string): TlsReceiver {
    const receiver = this.#tenants.get(name);
    if (receiver === undefined) throw new Error(`there is no tenant ${name}`);
    return receiver;
  }

  /** Starts the server again on the same data. */
  async startAgain(): Promise<void> {
    this.server = await ServerProcess.start(this.#options);
  }

  /** Sends recorded webhooks one after the other, freshly signed; each must be answered 200. */
  async replay(webhooks: readonly Pick<RecordedWebhook, "body">[]): Promise<void> {
    for (const { body } of webhooks) await this.send(body);
  }

  async send(body: string): Promise<void> {
    const answer = await sendWebhook(this.server.url, body);
    if (answer.status !== 200) throw new Error(`answered ${answer.status}: ${answer.body}`);
  }

  async end(): Promise<void> {
    await this.server.killHard();
    for (const receiver of this.#tenants.values()) await receiver.stop();
    await this.#removeDirectory();
  }
}

/** Waits until nothing new has come to any of these receivers for a while. */
export async function quiet(receivers: readonly TlsReceiver[], ms = 300): Promise<void> {
  for (let seen = -1; ; await Bun.sleep(ms)) {
    const count = receivers.reduce((sum, receiver) => sum + receiver.requests.length, 0);
    if (count === seen) return;
    seen = count;
  }
}

/** The LiveKit event names of these requests. */
export function eventNames(requests: readonly ReceivedRequest[]): string[] {
  return requests.map((request) => String((JSON.parse(request.body.toString()) as { event: unknown }).event));
}

export const ok: Answer = {};
