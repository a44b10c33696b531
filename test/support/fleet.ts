import { join } from "node:path";
import { mkdir } from "node:fs/promises";
import { sendLikeLiveKit } from "./livekit-sender";
import { emptyDatabase } from "./postgres";
import { RECORDED_KEY } from "./recordings";
import { ServerProcess, temporaryDirectory, type ServerOptions } from "./server-process";
import { TcpProxy } from "./tcp-proxy";
import { testCa } from "./test-ca";
import { startTlsReceiver, type TlsReceiver } from "./tls-receiver";

export type FleetOptions = {
  readonly instances: number;
  /** One receiver each, with a hook for the host `NAME.example.com`. */
  readonly tenants: readonly string[];
  readonly sip?: Readonly<Record<string, unknown>>;
  readonly config?: Readonly<Record<string, unknown>>;
  /** The server's URL, instead of the one of this run of tests. */
  readonly postgres?: string;
  /** Added to the URL of its database: `?sslmode=…`. */
  readonly parameters?: string;
};

/** One of several real servers. */
export class Instance {
  server: ServerProcess | undefined;

  constructor(
    readonly options: ServerOptions,
    /** Between it and Postgres. */
    readonly network: TcpProxy,
  ) {}

  async start(): Promise<void> {
    this.server = await ServerProcess.start(this.options);
  }

  /** Kills it; a load balancer sends nothing to it any more. */
  async killHard(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    await server?.killHard();
  }

  /** Ends it by SIGTERM. */
  async stop(): Promise<void> {
    const { server } = this;
    await server?.stop();
    this.server = undefined;
  }
}

/** Several real servers as processes on one Postgres, each behind a network of its own, with a TLS receiver per tenant. */
export class Fleet {
  #turn = 0;

  private constructor(
    readonly databaseUrl: string,
    readonly instances: readonly Instance[],
    readonly tenants: ReadonlyMap<string, TlsReceiver>,
    readonly end: () => Promise<void>,
  ) {}

  static async start({
    instances: count,
    tenants: names,
    sip,
    config,
    postgres,
    parameters = "",
  }: FleetOptions): Promise<Fleet> {
    const ca = await testCa();
    const database = await emptyDatabase(postgres);
    const directory = await temporaryDirectory();
    const tenants = new Map<string, TlsReceiver>();
    for (const name of names) tenants.set(name, await startTlsReceiver({ ca }));
    const hooks = [...tenants].map(([name, receiver]) => {
      return { host: `${name}.example.com`, url: receiver.url(`/${name}`), auth_id: name };
    });
    const { hostname: host, port } = new URL(database.url);
    const instances: Instance[] = [];
    for (let i = 0; i < count; i++) {
      const network = await TcpProxy.start({ host, port: Number(port) });
      const url = new URL(database.url);
      url.port = String(network.port);
      url.search = parameters;
      const dataDir = join(directory.path, String(i));
      await mkdir(dataDir);
      const settings = {
        storage: url.href,
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
      };
      instances.push(new Instance({ dataDir, caFile: ca.caFile, config: settings }, network));
    }
    await Promise.all(instances.map((instance) => instance.start()));
    return new Fleet(database.url, instances, tenants, async () => {
      await Promise.all(instances.map((instance) => instance.killHard()));
      await Promise.all(instances.map(({ network }) => network.stop()));
      for (const receiver of tenants.values()) await receiver.stop();
      await directory.remove();
      await database.remove();
    });
  }

  instance(i: number): Instance {
    const instance = this.instances[i];
    if (instance === undefined) throw new Error(`there is no instance ${i}`);
    return instance;
  }

  tenant(name: string): TlsReceiver {
    const receiver = this.tenants.get(name);
    if (receiver === undefined) throw new Error(`there is no tenant ${name}`);
    return receiver;
  }

  /** As a load balancer does: each of those that run in turn. */
  nextUrl = (): string => {
    const running = this.instances.flatMap(({ server }) => server ?? []);
    return running[this.#turn++ % running.length]?.url ?? "";
  };

  /** As LiveKit does, through the load balancer, with more patience. True when it was acknowledged. */
  async send(body: string): Promise<boolean> {
    const patience = Array.from({ length: 200 }, () => 100);
    return (await sendLikeLiveKit(this.nextUrl, body, patience)).delivered;
  }

  /** What all instances have written. */
  text(): string {
    return this.instances.map(({ server }) => server?.text() ?? "").join("\n");
  }
}
