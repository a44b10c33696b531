import { afterEach, beforeEach } from "bun:test";
import { Elysia } from "elysia";
import { auth } from "../../../plugins/auth";
import { HookRegistry, hooksStore } from "../../../plugins/hooks-store";
import { httpErrors } from "../../../plugins/http-errors";
import { createSqliteStorage } from "../../../plugins/storage/sqlite";
import type { Storage } from "../../../src/contracts/storage";
import { hookId, type Hook } from "../../../src/domain/hook";
import { Secret } from "../../../src/domain/secret";
import { ManualClock } from "../../support/manual-clock";
import { policy } from "../../support/policy";
import { recordingLog } from "../../support/recording-log";
import { temporaryDirectory } from "../../support/server-process";
import { pattern } from "../../support/webhooks";

/** Tokens of an operator and of two tenants. */
export const OPS = "ops-token-1234567890";
export const A = "tenant-a-token-1234567890";
export const B = "tenant-b-token-1234567890";

/** The hook that the configuration has. */
export const fixed: Hook = {
  id: hookId(pattern("fixed.a.example.com"), "tenant-a"),
  host: pattern("fixed.a.example.com"),
  url: "https://fixed.example/hook",
  authId: "tenant-a",
  source: "config",
};

export type Answer = {
  readonly status: number;
  readonly body: {
    hooks?: Record<string, unknown>[];
    error?: { code: string; message: string; [field: string]: unknown };
  };
  readonly headers: Headers;
};

/** The routes of `/sip/hooks` on a storage of their own; what each test finds is new. */
export class HooksApi {
  clock = new ManualClock();
  log = recordingLog();
  authRequired = true;
  #directory: Awaited<ReturnType<typeof temporaryDirectory>> | undefined;
  #opened: { readonly storage: Storage; registry: HookRegistry } | undefined;

  async open(): Promise<void> {
    this.clock = new ManualClock();
    this.log = recordingLog();
    this.authRequired = true;
    this.#directory = await temporaryDirectory();
    const storage = createSqliteStorage({ dataDir: this.#directory.path, clock: this.clock, log: this.log });
    this.#opened = { storage, registry: await this.#registryOn(storage, [fixed]) };
  }

  async close(): Promise<void> {
    await this.storage.close();
    await this.#directory?.remove();
  }

  get storage(): Storage {
    return this.#current.storage;
  }

  get registry(): HookRegistry {
    return this.#current.registry;
  }

  /** From now on with these hooks of the configuration. */
  async load(configHooks: readonly Hook[]): Promise<void> {
    this.#current.registry = await this.loadAgain(configHooks);
  }

  /** Another registry on the same storage, as after a restart. */
  loadAgain(configHooks: readonly Hook[]): Promise<HookRegistry> {
    return this.#registryOn(this.storage, configHooks);
  }

  readonly get = (token = OPS): Promise<Answer> => this.call("GET", undefined, token);
  readonly post = (hooks: unknown, token = OPS): Promise<Answer> => this.call("POST", { hooks }, token);
  readonly remove = (hosts: string[], token = OPS): Promise<Answer> => this.call("DELETE", { hosts }, token);

  async call(method: string, body: unknown, token: string | undefined): Promise<Answer> {
    const response = await this.#app().handle(
      new Request("http://localhost/sip/hooks", {
        method,
        headers: {
          "x-request-id": "test",
          "content-type": "application/json",
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );
    return { status: response.status, body: (await response.json()) as Answer["body"], headers: response.headers };
  }

  get #current() {
    if (this.#opened === undefined) throw new Error("it is not open");
    return this.#opened;
  }

  #registryOn(storage: Storage, configHooks: readonly Hook[]): Promise<HookRegistry> {
    return HookRegistry.load({ configHooks, policy, storage, clock: this.clock, log: this.log });
  }

  #app() {
    const secret = (id: string, value: string, role: "operator" | "tenant", hosts: string[]) => {
      return { id, secret: new Secret(value), role, hosts: hosts.map(pattern) };
    };
    const secrets = [
      secret("ops", OPS, "operator", []),
      secret("tenant-a", A, "tenant", ["*.a.example.com", "shared.example.com"]),
      secret("tenant-b", B, "tenant", ["*.b.example.com", "shared.example.com"]),
    ];
    const store = hooksStore({
      auth: auth({ required: this.authRequired, secrets }),
      registry: this.registry,
      breakerOf: () => undefined,
      rules: () => ({
        authRequired: this.authRequired,
        secretGrants: {
          ofOperators: ["env:ALLOWED"],
          ofTenants: new Map([
            ["tenant-a", ["env:OF_A", "file:/run/a.pem"]],
            ["tenant-b", ["env:OF_B"]],
          ]),
        },
      }),
    });
    return new Elysia({ normalize: false }).use(httpErrors({ log: this.log })).use(store);
  }
}

/** Opens one for each of the tests of the file that this is called in. */
export function hooksApi(): HooksApi {
  const api = new HooksApi();
  beforeEach(() => api.open());
  afterEach(() => api.close());
  return api;
}

export const hook = (host: string, auth_id = "tenant-a", url = "https://hooks.example/1") => ({ host, url, auth_id });
export const hosts = (answer: Answer) => answer.body.hooks?.map((entry) => entry.host);
