import type { SendResult } from "../../../src/contracts/sender";
import { answered, REFUSED } from "../in-process/scripted-sender";
import type { Model } from "./model";
import { crashText, Step, type Crash } from "./step";
import type { Attempted, ModelWorld } from "./world";

/** Some with a Retry-After: seconds, or a date. */
export const OUTCOMES = [
  ...(["200", "204", "400", "404", "410", "429", "500", "refused"] as const),
  ...(["429 after 0", "503 after 60", "429 after 7200", "503 until in 90 s"] as const),
] as const;
export type OutcomeName = (typeof OUTCOMES)[number];

/** An endpoint answers one attempt, or all that are under way. */
export class Answers extends Step {
  readonly #which: number | "all";
  readonly #outcome: OutcomeName;
  readonly #crash: Crash | undefined;

  constructor(which: number | "all", outcome: OutcomeName, crash: Crash | undefined) {
    super();
    this.#which = which;
    this.#outcome = outcome;
    this.#crash = crash;
  }

  override async act(model: Model, world: ModelWorld): Promise<void> {
    const { underWay } = world;
    const one = this.#which === "all" ? undefined : this.#which % underWay.length;
    const chosen = underWay.filter((_, i) => one === undefined || i === one);
    if (chosen.length === 0) return;
    if (this.#crash !== undefined) world.app.life.endAt(this.#crash.calls, this.#crash.when);
    for (const attempt of chosen) answer(world, attempt, this.#outcome);
    await world.quiet();
    world.app.life.goOn();
    if (world.app.life.over) {
      // Whether the outcome was on disk before the process ended is not for the model to say.
      for (const attempt of chosen) attempt.lost = true;
      await world.killAndStart();
      if (this.#outcome === "410") for (const hook of await world.pausedHooks()) model.paused.add(hook);
    } else if (this.#outcome === "410") {
      // An endpoint that has been replaced meanwhile speaks for nobody.
      const urls = new Set([...model.table.values()].map(({ url }) => url));
      for (const { hook, url } of chosen) if (urls.has(url)) model.paused.add(hook);
    }
  }

  override toString(): string {
    return `answer(${this.#which}, ${this.#outcome}${crashText(this.#crash)})`;
  }
}

export function answer(world: ModelWorld, attempt: Attempted, outcome: OutcomeName): void {
  world.sender.answer(attempt, resultOf(outcome, world.clock.now()));
}

function resultOf(outcome: OutcomeName, now: number): SendResult {
  if (outcome === "refused") return REFUSED;
  const [status, kind, value = "in 90 s"] = outcome.split(/ (after|until) /);
  if (kind === undefined) return answered(Number(status));
  return answered(Number(status), kind === "after" ? value : new Date(now + 90_000).toUTCString());
}
