import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { loadConfig } from "../../../plugins/config-loader";
import { createSqliteStorage, type SqliteStorageOptions } from "../../../plugins/storage/sqlite";
import { createApp, type SaynaSip } from "../../../src/app";
import type { Logger } from "../../../src/contracts/logger";
import type { SendRequest, SendResult } from "../../../src/contracts/sender";
import type { Storage } from "../../../src/contracts/storage";
import { livekitToken } from "../../support/livekit-token";
import { ManualClock, settle } from "../../support/manual-clock";
import { recordingLog } from "../../support/recording-log";
import { RECORDED_KEY } from "../../support/recordings";
import { temporaryDirectory } from "../../support/server-process";
import { Life } from "./life";

export type AppOptions = {
  readonly sip: Readonly<Record<string, unknown>>;
  readonly clock: ManualClock;
  readonly send: (request: SendRequest) => Promise<SendResult>;
  /** From 0 to 1, for the jitter. */
  readonly random: () => number;
  /** Special about the storage; nothing without it. */
  readonly storage?: Pick<SqliteStorageOptions, "maxPages" | "ballast">;
};

export type ApiAnswer = {
  readonly status: number;
  readonly text: string;
  /** The header, when there is one. */
  readonly retryAfter: string | undefined;
};

type Running = { readonly life: Life; readonly service: SaynaSip; readonly storage: Storage };

/** The whole app in this process, on a real database, with a clock to turn. It can be killed and started again. */
export class AppInProcess {
  /** What was logged in all lives. */
  readonly log: ReturnType<typeof recordingLog>;
  readonly #options: AppOptions;
  readonly #directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  #running: Running;

  private constructor(
    options: AppOptions,
    directory: Awaited<ReturnType<typeof temporaryDirectory>>,
    running: Running,
    log: ReturnType<typeof recordingLog>,
  ) {
    this.log = log;
    this.#options = options;
    this.#directory = directory;
    this.#running = running;
  }

  static async start(options: AppOptions): Promise<AppInProcess> {
    const directory = await temporaryDirectory();
    const { apiKey, apiSecret } = RECORDED_KEY;
    const config = {
      data_dir: directory.path,
      livekit: { api_key: apiKey, api_secret: apiSecret },
      sip: { room_prefix: "sip-", provision: false, set_room_owner: false, ...options.sip },
    };
    await writeFile(join(directory.path, "config.yaml"), stringify(config));
    const log = recordingLog();
    return new AppInProcess(options, directory, await open(options, directory.path, log), log);
  }

  get dataDir(): string {
    return this.#directory.path;
  }

  /** The life that is going on; whoever ends it calls `startAgain`. */
  get life(): Life {
    return this.#running.life;
  }

  /** Everything in memory is dropped, and the database opened again. */
  async startAgain(): Promise<void> {
    this.#running.life.end();
    // Not by the service, which would finish what it is doing.
    await this.#running.storage.close();
    this.#running = await open(this.#options, this.#directory.path, this.log);
  }

  /** Sends a webhook as LiveKit does. @returns the status; undefined when the process was gone before it answered. */
  async webhook(body: string): Promise<number | undefined> {
    return (await this.send(body))?.status;
  }

  /** The same with the whole answer. */
  async send(body: string): Promise<ApiAnswer | undefined> {
    const now = Math.floor(this.#options.clock.now() / 1000);
    const headers = { authorization: livekitToken(body, { now }), "content-type": "application/webhook+json" };
    return this.#request("/livekit/webhook", { method: "POST", headers, body });
  }

  /** @returns undefined when the process was gone before it answered. */
  async api(method: string, path: string, body?: object): Promise<ApiAnswer | undefined> {
    const headers = { "content-type": "application/json" };
    return this.#request(path, { method, ...(body === undefined ? {} : { headers, body: JSON.stringify(body) }) });
  }

  async end(): Promise<void> {
    this.#running.life.end();
    await this.#running.storage.close();
    await this.#directory.remove();
  }

  async #request(path: string, init: RequestInit): Promise<ApiAnswer | undefined> {
    const { service, life } = this.#running;
    const request = service.app.handle(new Request(`http://localhost${path}`, init)).then(async (response) => {
      const retryAfter = response.headers.get("retry-after") ?? undefined;
      return { status: response.status, text: await response.text(), retryAfter };
    });
    const answer = await Promise.race([request, life.ended]);
    await settle();
    return answer === "ended" ? undefined : answer;
  }
}

async function open(
  { clock: manual, send, random, storage: special }: AppOptions,
  dataDir: string,
  log: Logger,
): Promise<Running> {
  const life = new Life();
  const clock = life.clock(manual);
  const storage = createSqliteStorage({ dataDir, clock, log, ...special });
  const config = loadConfig({ file: join(dataDir, "config.yaml"), env: {} });
  const sender = life.sender(send);
  const service = await createApp(config, { log, clock, random, sender, storage: life.storage(storage) });
  await service.start();
  await settle();
  return { life, service, storage };
}
