import { permitOf } from "../../../src/domain/breaker";
import type { DeliveryPolicy } from "../../../src/domain/delivery-policy";
import { refill, untilNext } from "../../../src/domain/token-bucket";
import { freeSlots, type Asker, type Load } from "./free-slots";
import { isSlow, type HookState } from "./hook-state";

/** What a hook may do when it is its turn. */
export type Turn =
  /** Take so many from the queue. `probe`: one, due or not, from another lane than those to avoid. */
  | { readonly kind: "take"; readonly limit: number; readonly probe: boolean; readonly avoid: readonly number[] }
  /** Nothing for so many milliseconds; without them, until one of its own attempts has ended. */
  | { readonly kind: "wait"; readonly ms: number | undefined }
  /** Nothing until an attempt of another hook has ended. */
  | { readonly kind: "blocked" };

/** @param now monotonic ms. The state's rate is brought up to it. */
export function decideTurn(
  state: HookState,
  { concurrency, rate }: Pick<DeliveryPolicy, "concurrency" | "rate">,
  load: Load & Pick<Asker, "tenant">,
  now: number,
): Turn {
  const permit = permitOf(state.breaker, now);
  if (permit.kind === "wait") {
    return { kind: "wait", ms: permit.until === undefined ? undefined : permit.until - now };
  }
  const probe = permit.kind === "probe";
  const own = probe ? state.busy.size + 1 : permit.slots;
  const limit = Math.min(concurrency, own);
  if (state.busy.size >= limit) return { kind: "wait", ms: undefined };
  const free = freeSlots({ busy: state.busy.size, limit, tenant: load.tenant, slow: isSlow(state, now) }, load);
  if (free === 0) return { kind: "blocked" };
  const avoid = permit.kind === "probe" ? permit.avoid : [];
  if (rate === undefined) return { kind: "take", limit: free, probe, avoid };
  state.bucket = refill(state.bucket, rate, now);
  const tokens = Math.floor(state.bucket.tokens);
  if (tokens === 0) return { kind: "wait", ms: untilNext(state.bucket, rate) };
  return { kind: "take", limit: Math.min(free, tokens), probe, avoid };
}
