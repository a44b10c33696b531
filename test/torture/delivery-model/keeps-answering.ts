import type { AsyncCommand } from "fast-check";
import { Answers, type OutcomeName } from "./answers";
import type { Model } from "./model";
import { Turns } from "./passing-time";
import type { Step } from "./step";
import type { ModelWorld } from "./world";

/** Every endpoint works, fails, or does both in turn: what is under way is answered after so many seconds, each time. */
export class KeepsAnswering implements AsyncCommand<Model, ModelWorld> {
  readonly #steps: readonly Step[];

  constructor(outcomes: readonly OutcomeName[], seconds: readonly number[]) {
    this.#steps = seconds.flatMap((pause, i) => {
      const outcome = outcomes[i % outcomes.length] ?? "200";
      return [new Turns(pause), new Answers("all", outcome, undefined)];
    });
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, world: ModelWorld): Promise<void> {
    for (const step of this.#steps) await step.run(model, world);
  }

  toString(): string {
    return this.#steps.join("+");
  }
}
