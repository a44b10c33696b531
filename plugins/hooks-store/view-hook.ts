import { mapCredentials, toWritten } from "../../src/domain/credentials";
import type { Hook } from "../../src/domain/hook";
import { secretReference, type SecretSource } from "../../src/domain/secret";
import type { HookRegistry } from "./hook-registry";
import type { HookView } from "./hook-schemas";
import { viewPolicy } from "./view-policy";

/** A hook as an answer shows it. */
export function viewHook(hook: Hook, registry: HookRegistry): HookView {
  const paused = registry.pausedHook(hook.id);
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
    source: hook.source,
    state: paused === undefined ? "active" : "paused",
    ...(paused === undefined ? {} : { paused: { reason: paused.reason, since: new Date(paused.since).toISOString() } }),
  };
}

/** A reference always begins with `env:` or `file:`. */
const shown = (source: SecretSource): string => secretReference(source) ?? "literal";
