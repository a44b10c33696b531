import { hookKey, urlOf } from "./hook-keys";
import { hooksGone, type Model } from "./model";
import { Step } from "./step";
import type { ModelWorld } from "./world";

/** What is asked of the API; without a body it names the host. */
type Request = {
  readonly method: "POST" | "DELETE";
  readonly path: string;
  readonly body?: object;
  /** Whether the host has a hook; 404 is the answer when it has none. */
  readonly known: boolean;
};

/** Somebody asks for a change of one host's hook. */
abstract class HookChange extends Step {
  protected readonly host: string;

  constructor(host: string) {
    super();
    this.host = host;
  }

  /** Changes the model. @returns what changes the service alike */
  protected abstract change(model: Model, world: ModelWorld): Request;

  override async act(model: Model, world: ModelWorld): Promise<void> {
    const { method, path, body = { hosts: [this.host] }, known } = this.change(model, world);
    await world.ask(method, path, body, known ? 200 : 404);
  }
}

export class PutsHook extends HookChange {
  readonly #tenant: string;

  constructor(host: string, tenant: string) {
    super(host);
    this.#tenant = tenant;
  }

  override change(model: Model, world: ModelWorld): Request {
    const hook = hookKey(this.host, this.#tenant);
    const url = urlOf(this.host, this.#tenant, ++model.counter);
    model.table.set(this.host, { tenant: this.#tenant, url });
    model.paused.delete(hook);
    world.released(hook);
    hooksGone(model);
    const hooks = [{ host: this.host, url, auth_id: this.#tenant }];
    return { method: "POST", path: "/sip/hooks", body: { hooks }, known: true };
  }

  override toString(): string {
    return `put(${this.host}, ${this.#tenant})`;
  }
}

export class DeletesHook extends HookChange {
  override change(model: Model): Request {
    const known = model.table.delete(this.host);
    hooksGone(model);
    return { method: "DELETE", path: "/sip/hooks", known };
  }

  override toString(): string {
    return `delete(${this.host})`;
  }
}

/** Nothing is to be sent to a host's hook, or something again. */
export class PausesHook extends HookChange {
  readonly #what: "pause" | "resume";

  constructor(what: "pause" | "resume", host: string) {
    super(host);
    this.#what = what;
  }

  override change(model: Model, world: ModelWorld): Request {
    const entry = model.table.get(this.host);
    const hook = hookKey(this.host, entry?.tenant ?? "");
    if (this.#what === "pause" && entry !== undefined) model.paused.add(hook);
    if (this.#what === "resume" && model.paused.delete(hook)) world.released(hook);
    return { method: "POST", path: `/sip/hooks/${this.#what}`, known: entry !== undefined };
  }

  override toString(): string {
    return `${this.#what}(${this.host})`;
  }
}
