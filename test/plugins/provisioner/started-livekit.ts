import { afterEach, expect } from "bun:test";
import { createProvisioner, type Provisioner, type ProvisionerOptions } from "../../../plugins/provisioner";
import { Secret } from "../../../src/domain/secret";
import { startFakeLiveKit, type FakeLiveKit, type FakeLiveKitOptions } from "../../support/fake-livekit";
import { ManualClock } from "../../support/manual-clock";
import { recordingLog, type LogLine } from "../../support/recording-log";

export const API_SECRET = "0123456789abcdef0123456789abcdef";
export const TRUNK = "sayna-sip--trunk";
export const RULE = "sayna-sip--dispatch";
/** Milliseconds of the timer that a request sets. */
const REQUEST_TIMEOUT = 10_000;

const running = new Set<FakeLiveKit>();

/** A fake LiveKit that ends with the test, which fails when it was called in a way that LiveKit does not know. */
export async function startLiveKit(options: FakeLiveKitOptions = {}): Promise<FakeLiveKit> {
  const livekit = await startFakeLiveKit({ apiSecret: API_SECRET, ...options });
  running.add(livekit);
  return livekit;
}

afterEach(async () => {
  const ended = [...running];
  running.clear();
  await Promise.all(ended.map((livekit) => livekit.stop()));
  expect(ended.flatMap((livekit) => livekit.unexpected)).toEqual([]);
});

export type Instance = {
  readonly provisioner: Provisioner;
  readonly clock: ManualClock;
  readonly log: ReturnType<typeof recordingLog>;
};

/** An instance with a clock and a log of its own. */
export function instance(livekit: Pick<FakeLiveKit, "url">, changes: Partial<ProvisionerOptions> = {}): Instance {
  const [clock, log] = [new ManualClock(), recordingLog()];
  const provisioner = createProvisioner({
    url: livekit.url,
    apiKey: "devkey",
    apiSecret: new Secret(API_SECRET),
    roomPrefix: "sip-",
    allowedAddresses: ["203.0.113.0/24", "198.51.100.7"],
    maxParticipants: 3,
    hostHeaders: ["To"],
    clock,
    log,
    ...changes,
  });
  return { provisioner, clock, log };
}

export type Ending = { readonly error: unknown; readonly waited: readonly number[] };

/** Runs to the end, turning the clock through every wait; what is waited for LiveKit's answers is not turned. */
export async function runToEnd({ provisioner, clock }: Instance): Promise<Ending> {
  const waited: number[] = [];
  const end = provisioner.run().then(
    () => ({ error: undefined, waited }),
    (error: unknown) => ({ error, waited }),
  );
  for (;;) {
    const ended = await Promise.race([end, nextTurn()]);
    if (ended !== undefined) return ended;
    const [wait] = clock.waits;
    if (wait === undefined || wait === REQUEST_TIMEOUT) continue;
    waited.push(wait);
    await clock.turn(wait);
  }
}

/** Runs one to its end; what was not expected to fail shows its error. */
export async function provisioned(livekit: FakeLiveKit, changes: Partial<ProvisionerOptions> = {}): Promise<Instance> {
  const started = instance(livekit, changes);
  expect((await runToEnd(started)).error).toBeUndefined();
  return started;
}

/** Resolves when the condition holds; the test's own time-out ends it otherwise. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await nextTurn();
}

/** Lets the event loop go round once. */
export const nextTurn = (): Promise<undefined> =>
  new Promise((resolve) => {
    setImmediate(() => resolve(undefined));
  });

/** The requests that change something, without `livekit.SIP/`. */
export const writes = (livekit: FakeLiveKit): string[] =>
  livekit.requests.map(({ method }) => method.replace("SIP/", "")).filter((method) => !method.startsWith("List"));

export const messages = ({ log }: Instance, level: LogLine["level"]): string[] =>
  log.lines.filter((line) => line.level === level).map((line) => line.message);
