import type { TlsPeer } from "../../../src/contracts/sender";
import type { Outage } from "../../../src/domain/breaker";
import type { Hook } from "../../../src/domain/hook";
import type { Principal } from "../../../src/domain/principal";
import type { Verdict } from "../../../src/domain/retry-policy";
import { showAttempt } from "../../history/show-delivery";
import { viewBreaker } from "../../hooks-store/view-breaker";
import type { HookTestView, OUTCOMES } from "./hook-test-schemas";
import type { HookTest } from "./test-hook";

export type Tested = {
  readonly hook: Hook;
  readonly test: HookTest;
  readonly paused: boolean;
  readonly outage: Outage | undefined;
  readonly event: string;
  /** Ms since the epoch. */
  readonly now: number;
};

const OUTCOME_OF = {
  success: "delivered",
  event: "refused_event",
  gone: "gone",
  endpoint: "endpoint_failed",
} as const satisfies Record<Verdict, (typeof OUTCOMES)[number]>;

const DAY_MS = 86_400_000;

/** A test as this caller may see it: what the operator's network has resolved is the operator's. */
export function viewHookTest({ hook, test, paused, outage, event, now }: Tested, caller: Principal): HookTestView {
  const { verdict, peer, webhookId, signatures, addressAllowed, attempt } = test;
  const used = caller.role === "operator" ? peer?.address : undefined;
  return {
    ok: verdict === "success" && !paused,
    outcome: OUTCOME_OF[verdict],
    host: hook.host,
    url: hook.url,
    ...(hook.authId === undefined ? {} : { auth_id: hook.authId }),
    state: paused ? "paused" : "active",
    ...(outage === undefined ? {} : { breaker: viewBreaker(outage) }),
    webhook_id: webhookId,
    event,
    signatures: [...signatures],
    address: { allowed: addressAllowed, ...(used === undefined ? {} : { used }) },
    ...(peer?.tls === undefined ? {} : { tls: viewTls(peer.tls, now) }),
    attempt: showAttempt({ n: 1, ...attempt }, caller),
  };
}

function viewTls({ protocol, certificate }: TlsPeer, now: number): NonNullable<HookTestView["tls"]> {
  if (certificate === undefined) return { protocol };
  const { names, issuer, validFrom, validTo } = certificate;
  return {
    protocol,
    names,
    issuer,
    valid_from: new Date(validFrom).toISOString(),
    valid_to: new Date(validTo).toISOString(),
    days_left: Math.floor((validTo - now) / DAY_MS),
  };
}
