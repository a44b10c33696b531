import { hookKey, hooksGone, type Model } from "./model";
import { Step } from "./step";
import { urlOf, type ModelWorld } from "./world";

export class PutsHook extends Step {
  readonly #host: string;
  readonly #tenant: string;

  constructor(host: string, tenant: string) {
    super();
    this.#host = host;
    this.#tenant = tenant;
  }

  override async act(model: Model, world: ModelWorld): Promise<void> {
    const url = urlOf(this.#host, this.#tenant, ++model.counter);
    model.table.set(this.#host, { tenant: this.#tenant, url });
    model.paused.delete(hookKey(this.#host, this.#tenant));
    hooksGone(model);
    await world.ask("POST", "/sip/hooks", { hooks: [{ host: this.#host, url, auth_id: this.#tenant }] });
  }

  override toString(): string {
    return `put(${this.#host}, ${this.#tenant})`;
  }
}

export class DeletesHook extends Step {
  readonly #host: string;

  constructor(host: string) {
    super();
    this.#host = host;
  }

  override async act(model: Model, world: ModelWorld): Promise<void> {
    const known = model.table.delete(this.#host);
    hooksGone(model);
    await world.ask("DELETE", "/sip/hooks", { hosts: [this.#host] }, known ? 200 : 404);
  }

  override toString(): string {
    return `delete(${this.#host})`;
  }
}

export class Pauses extends Step {
  readonly #host: string;

  constructor(host: string) {
    super();
    this.#host = host;
  }

  override async act(model: Model, world: ModelWorld): Promise<void> {
    const entry = model.table.get(this.#host);
    await world.ask("POST", "/sip/hooks/pause", { hosts: [this.#host] }, entry === undefined ? 404 : 200);
    if (entry !== undefined) model.paused.add(hookKey(this.#host, entry.tenant));
  }

  override toString(): string {
    return `pause(${this.#host})`;
  }
}

export class Resumes extends Step {
  readonly #host: string;

  constructor(host: string) {
    super();
    this.#host = host;
  }

  override async act(model: Model, world: ModelWorld): Promise<void> {
    const entry = model.table.get(this.#host);
    if (entry !== undefined) model.paused.delete(hookKey(this.#host, entry.tenant));
    await world.ask("POST", "/sip/hooks/resume", { hosts: [this.#host] }, entry === undefined ? 404 : 200);
  }

  override toString(): string {
    return `resume(${this.#host})`;
  }
}
