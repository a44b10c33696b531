import { afterEach, beforeEach } from "bun:test";
import { HookRegistry } from "../../../../plugins/hooks-store";
import { createSqliteStorage } from "../../../../plugins/storage/sqlite";
import { exactHost } from "../../../../plugins/webhook-forwarder/matchers/exact-host";
import { wildcardHost } from "../../../../plugins/webhook-forwarder/matchers/wildcard-host";
import { createAsking, createEventIntake, type EventIntake } from "../../../../plugins/webhook-forwarder/router";
import { fixed } from "../../../../src/contracts/current";
import type { Matcher } from "../../../../src/contracts/matcher";
import type { OwnerTask, Storage } from "../../../../src/contracts/storage";
import { hookId, type Hook } from "../../../../src/domain/hook";
import type { HookId } from "../../../../src/domain/ids";
import type { JsonObject } from "../../../../src/domain/json";
import { ManualClock } from "../../../support/manual-clock";
import { policy } from "../../../support/policy";
import { recordingLog } from "../../../support/recording-log";
import { temporaryDirectory } from "../../../support/server-process";
import { caller, pattern, webhookJson } from "../../../support/webhooks";

const configHook = (host: string, authId?: string): Hook => ({
  id: hookId(pattern(host), authId),
  host: pattern(host),
  url: "https://hooks.example/",
  source: "config",
  ...(authId === undefined ? {} : { authId }),
});

export const exact = configHook("a.example.com", "tenant-a");
export const wide = configHook("*.example.com", "tenant-w");
export const narrow = configHook("*.b.example.com", "tenant-b");

/** An intake on a storage of its own; what each test finds is new. */
export class IntakeUnderTest {
  clock = new ManualClock();
  log = recordingLog();
  /** The hooks that got something new, and the rooms that are to be owned, since it was built. */
  woken: HookId[] = [];
  tasks: OwnerTask[] = [];
  #directory: Awaited<ReturnType<typeof temporaryDirectory>> | undefined;
  #storage: Storage | undefined;
  #intake: EventIntake | undefined;

  async open(): Promise<void> {
    this.clock = new ManualClock();
    this.log = recordingLog();
    this.#directory = await temporaryDirectory();
    this.#storage = createSqliteStorage({ dataDir: this.#directory.path, clock: this.clock, log: this.log });
    await this.build();
  }

  async close(): Promise<void> {
    this.intake.stop();
    await this.storage.close();
    await this.#directory?.remove();
  }

  get storage(): Storage {
    if (this.#storage === undefined) throw new Error("it is not open");
    return this.#storage;
  }

  get intake(): EventIntake {
    if (this.#intake === undefined) throw new Error("it is not open");
    return this.#intake;
  }

  /** Another registry on the same storage. */
  registryOf(configHooks: readonly Hook[]): Promise<HookRegistry> {
    return HookRegistry.load({ configHooks, policy, storage: this.storage, clock: this.clock, log: this.log });
  }

  async build(
    hooks: readonly Hook[] = [exact, wide, narrow],
    matchers: readonly Matcher[] = [exactHost, wildcardHost],
  ): Promise<void> {
    this.buildOn(await this.registryOf(hooks), matchers);
    this.intake.start();
  }

  buildOn(registry: HookRegistry, matchers: readonly Matcher[]): void {
    const { storage, clock, log } = this;
    this.woken = [];
    this.tasks = [];
    this.#intake = createEventIntake({
      roomPrefix: "sip-",
      matching: fixed({
        hostHeaders: ["To"],
        setRoomOwner: true,
        matchers,
        asking: createAsking({ clock, log, deadlineMs: 2_000, history: storage }),
      }),
      registry,
      storage,
      clock,
      log,
      onDeliveries: (ids) => this.woken.push(...ids),
      onOwnerTask: (task) => this.tasks.push(task),
      onRoomFinished: () => {},
    });
  }

  readonly take = async (json: JsonObject): Promise<void> => {
    const body = Buffer.from(JSON.stringify(json));
    await this.intake.take({ json, body, contentType: "application/webhook+json" });
  };

  /** What was logged beside what is usual. */
  readonly messages = (): string[] =>
    this.log.lines.filter(({ level }) => level !== "info").map(({ message }) => message);
}

/** Opens one for each of the tests of the file that this is called in. */
export function intakeUnderTest(): IntakeUnderTest {
  const under = new IntakeUnderTest();
  beforeEach(() => under.open());
  afterEach(() => under.close());
  return under;
}

export const joined = (to: string, sid = "PA_1"): JsonObject =>
  webhookJson("participant_joined", { participant: caller(sid, to) });
