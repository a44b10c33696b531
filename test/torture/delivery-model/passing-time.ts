import type { Model } from "./model";
import { Step } from "./step";
import type { ModelWorld } from "./world";

export class Turns extends Step {
  readonly #seconds: number;

  constructor(seconds: number) {
    super();
    this.#seconds = seconds;
  }

  override async act(_: Model, { clock }: ModelWorld): Promise<void> {
    await clock.turn(this.#seconds * 1000);
  }

  override toString(): string {
    return `turn(${this.#seconds} s)`;
  }
}

/** Somebody sets the time of day. */
export class SetsTheClock extends Step {
  readonly #seconds: number;

  constructor(seconds: number) {
    super();
    this.#seconds = seconds;
  }

  override async act(_: Model, world: ModelWorld): Promise<void> {
    world.setTheClock(this.#seconds * 1000);
  }

  override toString(): string {
    return `set(${this.#seconds} s)`;
  }
}

export class Kill extends Step {
  override async act(_: Model, world: ModelWorld): Promise<void> {
    await world.killAndStart();
  }

  override toString(): string {
    return "kill";
  }
}
