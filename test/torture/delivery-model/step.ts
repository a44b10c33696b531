import type { AsyncCommand } from "fast-check";
import { checkPromises } from "./invariants";
import type { Model } from "./model";
import type { ModelWorld } from "./world";

/** Something that happens to the service; the promises are looked at after it. */
export abstract class Step implements AsyncCommand<Model, ModelWorld> {
  check(): boolean {
    return true;
  }

  async run(model: Model, world: ModelWorld): Promise<void> {
    const before = world.attempts.length;
    const urlsBefore = new Set([...model.table.values()].map(({ url }) => url));
    await this.act(model, world);
    await world.quiet();
    checkPromises(model, world, { sent: world.attempts.slice(before), urlsBefore });
  }

  protected abstract act(model: Model, world: ModelWorld): Promise<void>;
  /** As it is shown in a sequence that broke a promise. */
  abstract toString(): string;
}

/** The process ends at this call of the storage, counted from 0: before it is made, or after it, unanswered. */
export type Crash = { readonly calls: number; readonly when: "before" | "after" };

export const crashText = (crash: Crash | undefined): string =>
  crash === undefined ? "" : `, killed ${crash.when} call ${crash.calls} of the storage`;
