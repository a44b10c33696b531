import { hookId } from "../../../src/domain/hook";
import { ManualClock, settle } from "../../support/manual-clock";
import { pattern } from "../../support/webhooks";
import { Chance } from "../chance";
import { AppInProcess } from "../in-process/app-in-process";
import { ScriptedSender, type Sending } from "../in-process/scripted-sender";
import { storedDeliveries, type StoredDelivery } from "../stored-deliveries";
import { hookKey } from "./model";

/** The host of the one hook that cannot be changed: with an empty table events would not be kept. */
export const FIXED_HOST = "fixed.example.com";
export const CHANGEABLE_HOSTS = ["h0.example.com", "h1.example.com"] as const;
export const HOSTS = [...CHANGEABLE_HOSTS, FIXED_HOST, "nobody.example.com"] as const;
export const TENANTS = ["t0", "t1"] as const;
export const FIXED_TENANT = TENANTS[0];
export const CONCURRENCY = 3;

/** An attempt that went out, and what its endpoint said in the end. */
export type Attempted = Sending & {
  /** The hook's key in the model. */
  readonly hook: string;
  status: number | "failed" | undefined;
  /** The process ended while it took the answer: it may go out again. */
  lost: boolean;
};

/** The service under test: the app in this process, endpoints that answer when told, and a clock to turn. */
export class ModelWorld {
  readonly clock: ManualClock;
  readonly app: AppInProcess;
  readonly sender: ScriptedSender;
  readonly attempts: Attempted[] = [];
  kills = 0;

  private constructor(clock: ManualClock, app: AppInProcess, sender: ScriptedSender) {
    this.clock = clock;
    this.app = app;
    this.sender = sender;
    sender.onSend = (sending) => {
      this.attempts.push(Object.assign(sending, { hook: hookOfUrl(sending.url), status: undefined, lost: false }));
    };
  }

  static async start(): Promise<ModelWorld> {
    const clock = new ManualClock();
    const sender = new ScriptedSender(clock);
    const random = new Chance(1);
    const app = await AppInProcess.start({
      clock,
      send: sender.send,
      random: () => random.next(),
      sip: {
        hooks: [{ host: FIXED_HOST, url: urlOf(FIXED_HOST, FIXED_TENANT, 0), auth_id: FIXED_TENANT }],
        allowed_hook_ranges: [],
        delivery: { concurrency: CONCURRENCY, max_age: "2h" },
      },
    });
    return new ModelWorld(clock, app, sender);
  }

  get underWay(): readonly Attempted[] {
    const underWay = new Set<Sending>(this.sender.underWay);
    return this.attempts.filter((attempt) => underWay.has(attempt));
  }

  /** What is on disk. */
  stored(): StoredDelivery[] {
    return storedDeliveries(this.app.dataDir);
  }

  /** @throws Error when the API answers another status. */
  async ask(method: string, path: string, body: object, status = 200): Promise<void> {
    const answer = await this.app.api(method, path, body);
    if (answer?.status !== status) throw new Error(`${method} ${path} was answered ${answer?.status}: ${answer?.text}`);
  }

  async killAndStart(): Promise<void> {
    this.kills++;
    this.app.life.end();
    this.sender.forgetAll();
    await this.app.startAgain();
    await settle();
  }
}

/** The hook's tenant and host are in its url, so that the endpoint shows whose it is. */
export const urlOf = (host: string, tenant: string, version: number): string =>
  `https://${tenant}.example/${host}/${version}`;

export function hookOfUrl(url: string): string {
  const { hostname, pathname } = new URL(url);
  return hookKey(pathname.split("/")[1] ?? "", hostname.replace(".example", ""));
}

/** The id under which the service knows a hook of the model. */
export function hookIdOf(key: string): string {
  const [host = "", tenant] = key.split("|");
  return hookId(pattern(host), tenant);
}
