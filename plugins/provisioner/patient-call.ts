import type { Clock } from "../../src/contracts/clock";
import type { Logger } from "../../src/contracts/logger";
import type { JsonObject } from "../../src/domain/json";
import { judgeRefusal, type Refusal } from "./judge-refusal";
import { ProvisioningError, type Resource } from "./provisioning-error";
import type { SipCall } from "./twirp-client";

/** Milliseconds between attempts while LiveKit is unreachable; one minute in all. */
const WAITS = [1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000];
const PATIENCE = 60_000;

export type CallResult =
  | { readonly kind: "ok"; readonly body: JsonObject }
  /** LiveKit refuses this request for what is stored there: a conflict, or something that is gone meanwhile. */
  | { readonly kind: "conflict"; readonly refusal: Refusal & { kind: "refused" } };

/** What provisioning uses of LiveKit. */
export type LiveKitSip = {
  /** @throws {ProvisioningError} for every failure that trying again does not end. */
  call(resource: Resource, method: string, request: JsonObject): Promise<CallResult>;
  /** Waits; @throws {Stopped} */
  pause(ms: number): Promise<void>;
  now(): number;
  readonly log: Logger;
};

export type PatientCallOptions = {
  readonly call: SipCall;
  readonly clock: Clock;
  readonly log: Logger;
  readonly stop: AbortSignal;
  /** What is being waited for; undefined when LiveKit answers again. */
  readonly onProblem: (problem: string | undefined) => void;
};

/** Thrown out of a run that was stopped. */
export class Stopped extends Error {}

/** Calls LiveKit, again and again while it is unreachable, for at most a minute at a time. */
export function createPatientLiveKit({ call, clock, log, stop, onProblem }: PatientCallOptions): LiveKitSip {
  const pause = (ms: number): Promise<void> =>
    new Promise((resolve, reject) => {
      if (stop.aborted) {
        reject(new Stopped());
        return;
      }
      const stopped = (): void => {
        cancel();
        reject(new Stopped());
      };
      const cancel = clock.after(ms, () => {
        stop.removeEventListener("abort", stopped);
        resolve();
      });
      stop.addEventListener("abort", stopped, { once: true });
    });

  return {
    pause,
    log,
    now: () => clock.now(),
    async call(resource, method, request) {
      const since = clock.now();
      for (let attempt = 0; ; attempt += 1) {
        const answer = await call(method, request, stop);
        if (stop.aborted) throw new Stopped();
        if (answer.kind === "ok") {
          onProblem(undefined);
          return answer;
        }
        if (isConflict(answer)) return { kind: "conflict", refusal: answer };
        const verdict = judgeRefusal(answer);
        if (verdict.kind === "definite") throw new ProvisioningError(resource, verdict);

        const left = since + PATIENCE - clock.now();
        const wait = Math.min(WAITS[attempt] ?? 0, left);
        if (wait <= 0) {
          throw new ProvisioningError(resource, {
            cause: `${verdict.cause}, for ${PATIENCE / 1000} s now`,
            hint: "Check that LiveKit runs and that livekit.url (LIVEKIT_URL) is its address, and start again.",
          });
        }
        onProblem(verdict.cause);
        log.warn({ resource: resource.name, method, wait_ms: wait }, `${verdict.cause}; trying again`);
        await pause(wait);
      }
    },
  };
}

const isConflict = (refusal: Refusal): refusal is Refusal & { kind: "refused" } =>
  refusal.kind === "refused" &&
  ((refusal.status === 400 && refusal.code === "invalid_argument") ||
    refusal.code === "not_found" ||
    refusal.code === "already_exists");
