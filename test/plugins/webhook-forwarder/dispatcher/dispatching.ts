import { HookRegistry } from "../../../../plugins/hooks-store/hook-registry";
import { createSqliteStorage } from "../../../../plugins/storage/sqlite";
import { createDispatcher, type Dispatcher } from "../../../../plugins/webhook-forwarder/dispatcher";
import { sleep } from "../../../../src/contracts/clock";
import type { SendRequest, SendResult } from "../../../../src/contracts/sender";
import type { Storage } from "../../../../src/contracts/storage";
import type { DeliveryPolicy, OwnPolicy } from "../../../../src/domain/delivery-policy";
import { hookId, type Hook } from "../../../../src/domain/hook";
import { ManualClock, settle } from "../../../support/manual-clock";
import { policy as defaults } from "../../../support/policy";
import { recordingLog } from "../../../support/recording-log";
import { temporaryDirectory } from "../../../support/server-process";
import { incoming, matchOf, pattern, webhookJson } from "../../../support/webhooks";

/** One attempt as its endpoint saw it. */
export type Sent = {
  readonly hook: string;
  readonly room: string;
  readonly name: string;
  readonly id: string;
  /** Monotonic ms since the start. */
  readonly at: number;
};

/** How an endpoint answers: with this status, after `ms`; or not at all until the deadline. */
export type Answer = { readonly status: number; readonly ms?: number; readonly retryAfter?: string } | "hang";
export type Endpoint = (sent: Sent, request: SendRequest) => Answer;

export type DispatchingOptions = {
  /** Policies of the hooks' own, by their names. */
  readonly hooks: Readonly<Record<string, OwnPolicy>>;
  readonly policy?: Partial<DeliveryPolicy>;
  readonly total?: number;
};

type Running = { readonly storage: Storage; readonly registry: HookRegistry; readonly dispatcher: Dispatcher };

/** A dispatcher on a real storage, with endpoints that answer as told, and a clock to turn. */
export class Dispatching {
  readonly clock = new ManualClock();
  readonly log = recordingLog();
  readonly sent: Sent[] = [];
  #running: Running | undefined;
  readonly #options: DispatchingOptions;
  readonly #directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #began = this.clock.monotonic();
  readonly #underWay = new Map<string, number>();
  /** The most attempts that were under way at a time, by hook, and in all. */
  readonly most = new Map<string, number>();
  mostInAll = 0;

  private constructor(options: DispatchingOptions, directory: Awaited<ReturnType<typeof temporaryDirectory>>) {
    this.#options = options;
    this.#directory = directory;
  }

  static async start(options: DispatchingOptions): Promise<Dispatching> {
    const dispatching = new Dispatching(options, await temporaryDirectory());
    await dispatching.startAgain();
    return dispatching;
  }

  /** Everything new but the data, as after `kill -9`. */
  async startAgain(): Promise<void> {
    if (this.#running !== undefined) {
      await this.#stop();
    }
    const { clock, log } = this;
    const { hooks, policy, total = 200 } = this.#options;
    const storage = createSqliteStorage({ dataDir: this.#directory.path, clock, log });
    const registry = await HookRegistry.load({
      configHooks: Object.entries(hooks).map(([name, own]) => ({ ...hookNamed(name), policy: own })),
      policy: { ...defaults, ...policy },
      storage,
      clock,
      log,
    });
    const dispatcher = createDispatcher({
      storage,
      registry,
      clock,
      log,
      random: () => 0.5,
      concurrency: { total },
      hookSecrets: () => ({ hookSecret: undefined }),
      sender: { send: (request) => this.#send(request), close: () => {} },
    });
    this.#running = { storage, registry, dispatcher };
    await dispatcher.start();
    await settle();
  }

  get storage(): Storage {
    return this.#now().storage;
  }

  get registry(): HookRegistry {
    return this.#now().registry;
  }

  get dispatcher(): Dispatcher {
    return this.#now().dispatcher;
  }

  #now(): Running {
    if (this.#running === undefined) throw new Error("it has not been started");
    return this.#running;
  }

  /** Monotonic ms since the start. */
  get now(): number {
    return this.clock.monotonic() - this.#began;
  }

  endpoint(hook: string, answer: Endpoint): void {
    this.#endpoints.set(hook, answer);
  }

  /** Keeps events of a call and tells the dispatcher, as the intake does. */
  async call(hook: string, room: string, names: readonly string[] = ["participant_joined"]): Promise<void> {
    await this.calls(hook, [room], names);
  }

  /** The same for many calls, all in one commit. */
  async calls(
    hook: string,
    rooms: readonly string[],
    names: readonly string[] = ["participant_joined"],
  ): Promise<void> {
    const { id } = hookNamed(hook);
    const events = rooms.flatMap((room) => {
      // A room belongs to the hook that it came to first: each hook has rooms of its own.
      const sid = `${room}@${hook}`;
      const participant = { sid: `PA_${sid}`, kind: "SIP", attributes: { "sip.callID": "1" } };
      const json = (name: string) => webhookJson(name, { room: { sid, name: `sip-${sid}` }, participant });
      return names.map((name) => incoming(json(name), matchOf(id), this.clock.now()));
    });
    await this.storage.commit(events, this.registry.planDelivery);
    this.dispatcher.wake([id]);
    await settle();
  }

  sentTo(hook: string): Sent[] {
    return this.sent.filter((each) => each.hook === hook);
  }

  /** The lines of deliveries that were given up, and whatever is an error. */
  givenUp(): string[] {
    return [...this.logged("warn").filter((line) => line === "Not delivered: given up"), ...this.logged("error")];
  }

  /** What was logged at this level, as messages. */
  logged(level: "info" | "warn" | "error"): string[] {
    return this.log.lines.filter((line) => line.level === level).map((line) => line.message);
  }

  async end(): Promise<void> {
    await this.#stop();
    await this.#directory.remove();
  }

  async #stop(): Promise<void> {
    const stopped = this.dispatcher.stop(0);
    await this.clock.turn(0);
    await stopped;
    await this.storage.close();
  }

  async #send(request: SendRequest): Promise<SendResult> {
    const { clock } = this;
    const body = JSON.parse(Buffer.from(request.body).toString()) as { event: string; room: { sid: string } };
    const hook = new URL(request.url).hostname.replace(".example", "");
    const id = request.headers["webhook-id"] ?? "";
    const sent = { hook, room: body.room.sid.replace(/@.*/, ""), name: body.event, id, at: this.now };
    this.sent.push(sent);
    this.#count(hook, 1);
    const answer = this.#endpoints.get(hook)?.(sent, request) ?? { status: 200 };
    const ms = answer === "hang" ? request.deadlineMs : (answer.ms ?? 0);
    if (ms > 0) await sleep(clock, ms);
    this.#count(hook, -1);
    if (answer === "hang") {
      return { kind: "failed", step: "deadline", code: "DEADLINE", message: "no answer", durationMs: ms };
    }
    const { status, retryAfter } = answer;
    return { kind: "answered", status, retryAfter, answerStart: new Uint8Array(), durationMs: ms };
  }

  #count(hook: string, change: number): void {
    const now = (this.#underWay.get(hook) ?? 0) + change;
    this.#underWay.set(hook, now);
    this.most.set(hook, Math.max(this.most.get(hook) ?? 0, now));
    const inAll = [...this.#underWay.values()].reduce((sum, each) => sum + each, 0);
    this.mostInAll = Math.max(this.mostInAll, inAll);
  }
}

/** `a` and `b` are hooks of two tenants, `a-1` and `a-2` of one. */
export function hookNamed(name: string): Hook {
  const host = pattern(`${name}.example.com`);
  const [authId = name] = name.split("-");
  return { id: hookId(host, authId), host, url: `https://${name}.example/hook`, authId, source: "config" };
}

export const rooms = (count: number, prefix = "RM"): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}_${i}`);
