import { ManualClock, settle } from "../../support/manual-clock";
import { Chance } from "../chance";
import { AppInProcess } from "../in-process/app-in-process";
import { ScriptedSender, type Sending } from "../in-process/scripted-sender";
import { storedDeliveries, type StoredDelivery } from "../stored-deliveries";
import { hookKey, hookOfUrl, urlOf } from "./hook-keys";

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

/** What the service was seen to do, or what was done to it. Times are monotonic ms. */
export type Happened =
  | { readonly kind: "sent"; readonly attempt: Attempted; readonly at: number }
  /** `retryAfter`: what the answer asks for, in ms. */
  | {
      readonly kind: "ended";
      readonly attempt: Attempted;
      readonly at: number;
      readonly retryAfter: number | undefined;
    }
  /** A hook was replaced or resumed. */
  | { readonly kind: "released"; readonly hook: string; readonly at: number }
  /** `offset`: the time of day minus the monotonic time. */
  | { readonly kind: "started" | "clock set"; readonly offset: number; readonly at: number };

/** The service under test: the app in this process, endpoints that answer when told, and a clock to turn. */
export class ModelWorld {
  readonly clock: ManualClock;
  readonly app: AppInProcess;
  readonly sender: ScriptedSender;
  readonly attempts: Attempted[] = [];
  kills = 0;
  #happened: Happened[] = [];

  private constructor(clock: ManualClock, app: AppInProcess, sender: ScriptedSender) {
    this.clock = clock;
    this.app = app;
    this.sender = sender;
    sender.onSend = (sending) => {
      const attempt = Object.assign(sending, { hook: hookOfUrl(sending.url), status: undefined, lost: false });
      this.attempts.push(attempt);
      this.#happened.push({ kind: "sent", attempt, at: clock.monotonic() });
    };
    sender.onEnd = (sending, result) => {
      const attempt = this.attempts.find((one) => one === sending);
      if (attempt === undefined) return;
      attempt.status = result.kind === "answered" ? result.status : "failed";
      const retryAfter = result.kind === "answered" ? askedFor(result.retryAfter, clock.now()) : undefined;
      this.#happened.push({ kind: "ended", attempt, at: clock.monotonic(), retryAfter });
    };
    this.#noteTime("started");
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

  /** What happened since the last time this was asked, in order. */
  takeHappened(): readonly Happened[] {
    const happened = this.#happened;
    this.#happened = [];
    return happened;
  }

  /** A hook is replaced or resumed; to be told before it is. */
  released(hook: string): void {
    this.#happened.push({ kind: "released", hook, at: this.clock.monotonic() });
  }

  setTheClock(ms: number): void {
    this.clock.set(this.clock.now() + ms);
    this.#noteTime("clock set");
  }

  /** Waits until nothing goes on any more; what expires, say, takes a moment for each. */
  async quiet(): Promise<void> {
    const seen = () => this.app.log.lines.length + this.attempts.length;
    for (let before = -1; before !== seen();) {
      before = seen();
      await settle();
    }
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

  /** The hooks that are paused by what the API says. */
  async pausedHooks(): Promise<string[]> {
    const { hooks } = JSON.parse((await this.app.api("GET", "/sip/hooks"))?.text ?? "") as HookTableAnswer;
    return hooks.filter(({ state }) => state === "paused").map((hook) => hookKey(hook.host, hook.auth_id));
  }

  async killAndStart(): Promise<void> {
    this.kills++;
    this.app.life.end();
    this.sender.forgetAll();
    this.#noteTime("started");
    await this.app.startAgain();
    await this.quiet();
  }

  #noteTime(kind: "started" | "clock set"): void {
    const at = this.clock.monotonic();
    this.#happened.push({ kind, offset: this.clock.now() - at, at });
  }
}

type HookTableAnswer = { hooks: { host: string; auth_id: string; state: string }[] };

/** A Retry-After in ms: seconds, or a date that is seen at `now`. */
function askedFor(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  return /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
}
