import { fillDatabase } from "../support/fill-database";
import { ManualClock } from "../support/manual-clock";
import { callWebhooks, hostOf, type CallWebhook } from "./call-webhooks";
import { Chance } from "./chance";
import { Agenda } from "./in-process/agenda";
import { AppInProcess, type ApiAnswer } from "./in-process/app-in-process";
import { Endpoints } from "./in-process/endpoints";
import { answered } from "./in-process/scripted-sender";
import { Findings, type Report, type Scenario } from "./scenario";

const TENANTS = ["a", "b"] as const;
/** 8 MiB: quickly filled, with room for thousands of these events. */
const PAGES = 2_000;
const CALLS_PER_FILLING = 12;
/** From one filling to the next; calls begin all the time. */
const PERIOD_MS = 120_000;
const FULL_MS = { least: 3_000, most: 60_000 };
/** How likely it is that the process is killed meanwhile. */
const KILLED = 0.3;
/** What waits after a failure goes out within. */
const LAST_MS = 20 * 60_000;
/** Readiness remembers a failed write so long, and is asked that much later. */
const READY_AFTER_MS = 5_001;
/** What was kept so long before the disk was full has been sent by then, when its hook took it at once. */
const SENT_AFTER_MS = 10_000;
/** After each refusal of an event LiveKit waits as long as it is told; after one more it gives up. */
const RETRY_AFTER = ["1", "2", "8", "15"] as const;

/** Again and again the database cannot grow for a while; at some of these times the process is killed as well. */
export const disk: Scenario = {
  name: "disk",
  about: "the disk fills under load and has room again, at some of these times with a kill meanwhile",
  unit: "fillings",
  short: 10,
  long: 150,
  run: fillOverAndOver,
};

/** The events of a call that tell of its caller and of its agent. */
const JOINED = [1, 2];

type Call = {
  readonly webhooks: readonly CallWebhook[];
  readonly chance: Chance;
  /** The number of the event that is sent next, how often it was refused, and how often since the process started. */
  n: number;
  refusals: number;
  refusalsOfThisLife: number;
};

async function fillOverAndOver(seed: number, fillings: number): Promise<Report> {
  const torment = await DiskTorment.start(seed);
  try {
    const chance = Chance.of(seed, "fillings");
    for (let i = 0; i < fillings; i++) await torment.fillOnce(chance, i);
    return await torment.report();
  } finally {
    await torment.end();
  }
}

class DiskTorment {
  readonly #seed: number;
  readonly #clock: ManualClock;
  readonly #endpoints: Endpoints;
  readonly #app: AppInProcess;
  readonly #room: ReturnType<typeof fillDatabase>;
  readonly #findings = new Findings();
  readonly #agenda: Agenda;
  readonly #calls: Call[] = [];
  readonly #kept: { readonly webhook: CallWebhook; readonly at: number }[] = [];
  readonly #kills: number[] = [];
  #fullSince: number | undefined;
  readonly #wrong = { answers: [] as string[], refusals: [] as string[], ready: [] as string[], waits: [] as string[] };
  readonly #count = { fillings: 0, refusals: 0, givenUp: 0, keptWhileFull: 0, arrivedWhileFull: 0 };

  private constructor(seed: number, clock: ManualClock, endpoints: Endpoints, app: AppInProcess) {
    this.#seed = seed;
    this.#clock = clock;
    this.#agenda = new Agenda(clock);
    this.#endpoints = endpoints;
    this.#app = app;
    this.#room = fillDatabase(app.dataDir, PAGES);
  }

  static async start(seed: number): Promise<DiskTorment> {
    const clock = new ManualClock();
    const endpoints = new Endpoints(clock, ({ tenant, id }, nth) => {
      const chance = Chance.of(seed, `${tenant} ${id} ${nth}`);
      return { result: answered(nth === 0 && chance.happens(0.1) ? 503 : 200), ms: chance.int(20, 800) };
    });
    const random = Chance.of(seed, "jitter");
    const hooks = TENANTS.map((tenant) => ({
      host: hostOf(tenant),
      url: `https://${tenant}.example/hook`,
      auth_id: tenant,
    }));
    const app = await AppInProcess.start({
      clock,
      random: () => random.next(),
      send: endpoints.send,
      storage: { maxPages: PAGES, ballast: 0 },
      sip: { hooks },
    });
    return new DiskTorment(seed, clock, endpoints, app);
  }

  async end(): Promise<void> {
    this.#room.close();
    await this.#app.end();
  }

  /** One span of time in which calls begin at any moment, and the disk is full for a while. */
  async fillOnce(chance: Chance, nth: number): Promise<void> {
    const from = this.#clock.monotonic();
    for (let i = 0; i < CALLS_PER_FILLING; i++) {
      const name = `c${nth}x${i}`;
      const webhooks = callWebhooks(name, [chance.pick(TENANTS)]);
      const call = { webhooks, chance: Chance.of(this.#seed, name), n: 0, refusals: 0, refusalsOfThisLife: 0 };
      this.#calls.push(call);
      this.#agenda.add(from + chance.int(0, PERIOD_MS), () => this.#send(call));
    }
    const full = from + chance.int(0, PERIOD_MS - FULL_MS.most - READY_AFTER_MS);
    const lasts = chance.int(FULL_MS.least, FULL_MS.most);
    this.#agenda.add(full, async () => this.#fill());
    if (chance.happens(KILLED)) this.#agenda.add(full + chance.int(0, lasts), () => this.#kill());
    this.#agenda.add(full + lasts, async () => this.#empty());
    this.#agenda.add(full + lasts + READY_AFTER_MS, () =>
      this.#expectReady(200, "five seconds after there was room again"),
    );
    await this.#agenda.goOnUntil(from + PERIOD_MS);
  }

  async report(): Promise<Report> {
    await this.#agenda.goOnUntil(Infinity);
    await this.#clock.turn(LAST_MS);
    await this.#expectReady(200, "at the end");
    const [findings, wrong, missing] = [this.#findings, this.#wrong, this.#missing(Infinity)];
    const again = this.#sentAgain();
    findings.none("an acknowledged event was not delivered", missing);
    findings.none("a call's events came out of order", this.#endpoints.outOfOrder());
    findings.none("two attempts of one lane were under way at once", this.#endpoints.overlaps());
    findings.none("sent again after a 2xx although no kill was in between", again);
    findings.none("an event was refused otherwise than with 503 and its Retry-After", wrong.answers);
    findings.none("an event was refused although there was room", wrong.refusals);
    findings.none("readiness did not say how it is", wrong.ready);
    findings.none("what was stored did not go out while the disk was full", wrong.waits);
    findings.check("events were refused at most fillings", this.#count.refusals >= this.#count.fillings);
    return {
      figures: {
        fillings: this.#count.fillings,
        "kills meanwhile": this.#kills.length,
        calls: this.#calls.length,
        "acknowledged events": this.#kept.length,
        "acknowledged while the disk was full": this.#count.keptWhileFull,
        refusals: this.#count.refusals,
        "given up by LiveKit, after five refusals": this.#count.givenUp,
        "acknowledged but not delivered": missing.length,
        "arrived while the disk was full": this.#count.arrivedWhileFull,
      },
      broken: findings.broken,
    };
  }

  /** Sends the call's next event as LiveKit does: what is refused comes again, and holds up what is behind it. */
  async #send(call: Call): Promise<void> {
    const webhook = call.webhooks[call.n];
    if (webhook === undefined) return;
    // What was given back meanwhile, somebody else has taken.
    if (this.#fullSince !== undefined) this.#room.fill();
    const answer = await this.#app.send(webhook.body);
    if (answer?.status !== 200) return this.#refused(call, webhook, answer);
    this.#kept.push({ webhook, at: this.#clock.monotonic() });
    if (this.#fullSince !== undefined) this.#count.keptWhileFull++;
    this.#next(call);
  }

  async #refused(call: Call, { id }: CallWebhook, answer: ApiAnswer | undefined): Promise<void> {
    this.#count.refusals++;
    const wait = RETRY_AFTER[Math.min(call.refusalsOfThisLife, RETRY_AFTER.length - 1)];
    if (answer?.status !== 503 || answer.retryAfter !== wait) {
      this.#wrong.answers.push(`${id}: ${answer?.status}, ${answer?.retryAfter} instead of ${wait}`);
    }
    if (this.#fullSince === undefined) this.#wrong.refusals.push(id);
    await this.#expectReady(503, `when ${id} was refused`);
    call.refusals++;
    call.refusalsOfThisLife++;
    if (call.refusals <= RETRY_AFTER.length) {
      this.#agenda.add(this.#clock.monotonic() + Number(wait) * 1_000, () => this.#send(call));
      return;
    }
    this.#count.givenUp++;
    this.#next(call);
  }

  #next(call: Call): void {
    call.n++;
    call.refusals = 0;
    call.refusalsOfThisLife = 0;
    this.#agenda.add(this.#clock.monotonic() + call.chance.int(0, 4_000), () => this.#send(call));
  }

  #fill(): void {
    this.#count.fillings++;
    this.#room.fill();
    this.#fullSince = this.#clock.monotonic();
  }

  #empty(): void {
    const now = this.#clock.monotonic();
    const since = this.#fullSince ?? now;
    const arrived = this.#endpoints.attempts.filter(({ ok, endedAt = 0 }) => ok && endedAt >= since);
    this.#count.arrivedWhileFull += arrived.length;
    this.#fullSince = undefined;
    this.#room.empty();
    // A kill cuts off what is under way, which is sent again.
    if (now - Math.max(since, this.#kills.at(-1) ?? 0) < SENT_AFTER_MS) return;
    this.#wrong.waits.push(...this.#missing(since));
  }

  async #kill(): Promise<void> {
    this.#kills.push(this.#clock.monotonic());
    this.#endpoints.processKilled();
    for (const call of this.#calls) call.refusalsOfThisLife = 0;
    await this.#app.startAgain();
  }

  async #expectReady(status: number, when: string): Promise<void> {
    const answer = await this.#app.api("GET", "/health/ready");
    if (answer?.status !== status) this.#wrong.ready.push(`${answer?.status} ${when}`);
  }

  /**
   * What was kept before this time and has not arrived, but for what is unmatched, and may be removed where room is short:
   * whose caller, or whose agent, nobody knows because LiveKit has given up the event that tells of it.
   */
  #missing(before: number): string[] {
    const delivered = new Map(TENANTS.map((tenant) => [tenant as string, this.#endpoints.delivered(tenant)]));
    const kept = this.#kept.filter(({ at }) => at < before);
    const ids = new Set(kept.map(({ webhook }) => webhook.id));
    return kept
      .filter(({ webhook: { id, n } }) =>
        JOINED.slice(0, Math.max(n, 1)).every((m) => ids.has(id.replace(/\d+$/, `${m}`))),
      )
      .flatMap(({ webhook: { id, to } }) =>
        to.filter((tenant) => delivered.get(tenant)?.has(id) !== true).map((tenant) => `${id} at ${tenant}`),
      );
  }

  /** Attempts for what had been answered with a 2xx before, without a kill since. */
  #sentAgain(): string[] {
    const attempts = Map.groupBy(this.#endpoints.attempts, ({ tenant, id }) => `${tenant} ${id}`);
    return [...attempts].flatMap(([key, [...tries]]) =>
      tries.flatMap(({ at }, i) => {
        const taken = tries.slice(0, i).findLast(({ ok }) => ok)?.endedAt;
        return taken !== undefined && !this.#kills.some((kill) => kill >= taken && kill <= at) ? [key] : [];
      }),
    );
  }
}
