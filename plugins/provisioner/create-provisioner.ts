import type { Clock } from "../../src/contracts/clock";
import type { Logger } from "../../src/contracts/logger";
import type { Secret } from "../../src/domain/secret";
import { createPatientLiveKit, Stopped } from "./patient-call";
import { dispatchRuleName, provision, trunkName, type Provisioned, type ProvisioningSettings } from "./provision";
import type { ProvisioningError } from "./provisioning-error";
import { createSipClient } from "./twirp-client";

export type ProvisionerOptions = ProvisioningSettings & {
  /** LiveKit's URL: `ws:`, `wss:`, `http:` or `https:`. */
  readonly url: string;
  readonly apiKey: string;
  readonly apiSecret: Secret;
  readonly clock: Clock;
  readonly log: Logger;
};

export type ProvisioningState =
  | { readonly kind: "idle" }
  /** `problem`: what keeps it from going on at the moment. */
  | { readonly kind: "running"; readonly problem: string | undefined }
  | ({ readonly kind: "done" } & Provisioned)
  /** `error` is a ProvisioningError unless the program itself is wrong. */
  | { readonly kind: "failed"; readonly error: ProvisioningError | Error }
  | { readonly kind: "stopped" };

export type Provisioner = {
  /**
   * Provisions, once: a second call gives the same promise. Ends well, too, when it was stopped; `state` tells.
   *
   * @throws {ProvisioningError} which ends the program with exit code 1.
   */
  run(): Promise<void>;
  /** Ends waits and requests. What is done at LiveKit stays. */
  stop(): void;
  state(): ProvisioningState;
};

/**
 * Provisions LiveKit's inbound SIP trunk `sayna-{room_prefix}-trunk` and dispatch rule `sayna-{room_prefix}-dispatch`,
 * by the rules of `provision` and its parts. Nothing is asked or written before `run()`.
 *
 * @throws {TypeError} when the url is no LiveKit URL, or allowed_addresses or host_headers are empty.
 */
export function createProvisioner(options: ProvisionerOptions): Provisioner {
  const { url, apiKey, apiSecret, clock, log, ...settings } = options;
  const isLiveKitUrl = /^(ws|http)s?:$/.test(new URL(url).protocol);
  if (!isLiveKitUrl) throw new TypeError("livekit.url must be a ws, wss, http or https URL");
  // LiveKit takes an empty list for "every address".
  if (settings.allowedAddresses.length === 0) throw new TypeError("SIP allowed_addresses cannot be empty");
  if (settings.hostHeaders.length === 0) throw new TypeError("SIP host_headers cannot be empty");

  const stopping = new AbortController();
  let state: ProvisioningState = { kind: "idle" };
  let running: Promise<void> | undefined;

  const livekit = createPatientLiveKit({
    call: createSipClient({ url, apiKey, apiSecret, clock }),
    clock,
    log,
    stop: stopping.signal,
    onProblem(problem) {
      state = { kind: "running", problem };
    },
  });

  async function run(): Promise<void> {
    if (stopping.signal.aborted) return;
    state = { kind: "running", problem: undefined };
    log.info({}, "SIP configuration detected, provisioning LiveKit SIP trunk and dispatch rules");
    try {
      const provisioned = await provision(settings, livekit);
      state = { kind: "done", ...provisioned };
      log.info(
        { trunk_id: provisioned.trunkId, dispatch_rule_id: provisioned.dispatchRuleId },
        `Successfully provisioned SIP resources: trunk=${trunkName(settings.roomPrefix)}, ` +
          `dispatch=${dispatchRuleName(settings.roomPrefix)}`,
      );
    } catch (error) {
      if (error instanceof Stopped) return;
      // Fails closed: a service whose calls cannot arrive does not start.
      state = { kind: "failed", error: error instanceof Error ? error : new Error(String(error)) };
      throw error;
    }
  }

  return {
    run: () => (running ??= run()),
    stop() {
      if (state.kind === "idle" || state.kind === "running") state = { kind: "stopped" };
      stopping.abort();
    },
    state: () => state,
  };
}
