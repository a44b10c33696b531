import { mapCredentials, toWritten } from "../../src/domain/credentials";
import type { Hook } from "../../src/domain/hook";
import { secretReference, type SecretSource } from "../../src/domain/secret";
import type { Outage } from "../../src/domain/breaker";
import type { PausedHook } from "../../src/contracts/storage";
import type { HookView } from "./hook-schemas";
import { viewBreaker } from "./view-breaker";
import { viewPolicy } from "./view-policy";

/** Each is undefined while there is nothing to say. */
export type HookCondition = { readonly paused: PausedHook | undefined; readonly outage: Outage | undefined };

/** A hook as an answer shows it. */
export function viewHook(hook: Hook, { paused, outage }: HookCondition): HookView {
  const secret = hook.secret === undefined ? undefined : secretReference(hook.secret);
  return {
    host: hook.host,
    url: hook.url,
    ...(hook.authId === undefined ? {} : { auth_id: hook.authId }),
    ...(secret === undefined ? {} : { secret }),
    ...(hook.previousSecret === undefined
      ? {}
      : {
          previous_secret: {
            secret: shown(hook.previousSecret.secret),
            until: new Date(hook.previousSecret.until).toISOString(),
          },
        }),
    ...(hook.credentials === undefined ? {} : { credentials: toWritten(mapCredentials(hook.credentials, shown)) }),
    ...(hook.policy === undefined ? {} : { delivery: viewPolicy(hook.policy) }),
    ...(hook.operatorPolicy === undefined ? {} : { operator_delivery: viewPolicy(hook.operatorPolicy) }),
    source: hook.source,
    state: paused === undefined ? "active" : "paused",
    ...(paused === undefined ? {} : { paused: { reason: paused.reason, since: new Date(paused.since).toISOString() } }),
    ...(outage === undefined ? {} : { breaker: viewBreaker(outage) }),
  };
}

/** A reference always begins with `env:` or `file:`. */
const shown = (source: SecretSource): string => secretReference(source) ?? "literal";
