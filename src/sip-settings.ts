import type { Config, SipConfig } from "../plugins/config-loader";
import type { ConfiguredHooks } from "../plugins/hooks-store";
import type { SecretGrants } from "../plugins/hooks-store/secret-grants";
import { revokedBy } from "../plugins/webhook-forwarder/dispatcher/revoked-secrets";
import { builtInMatchers } from "../plugins/webhook-forwarder/matchers";
import type { Matcher } from "./contracts/matcher";
import type { RetentionLimits } from "./contracts/upkeep";
import type { CallRoute } from "./domain/call-route";
import { readWritten } from "./domain/credentials";
import { fromSettings } from "./domain/delivery-settings";
import { hookId, type Hook } from "./domain/hook";
import type { SecretSource } from "./domain/secret";
import { selectMatchers } from "./select-matchers";

/** As the storage takes them. */
export function retentionLimits({ retention: { max_size: maxSize, ...ages } }: Config): RetentionLimits {
  return { ...ages, maxSize };
}

/** What a reload replaces, made ready for those who use it: one object, so that they change together. */
export function settingsOf(config: Config, sip: SipConfig, brought: readonly Matcher[]) {
  const { signing_key: key, previous_signing_key: previousKey } = sip;
  const grants = secretGrants(config, sip);
  return {
    matchers: selectMatchers(sip.matchers, builtInMatchers(toRoutes(sip)), brought),
    allowedRanges: sip.allowed_hook_ranges,
    hookSecrets: { hookSecret: sip.hook_secret, previousHookSecret: sip.previous_hook_secret },
    signingKeys: {
      key,
      previous: previousKey === undefined ? undefined : { secret: previousKey.key, until: previousKey.until },
    },
    rules: { authRequired: config.auth.required, secretGrants: grants },
    findRevoked: revokedBy(grants),
  };
}

/** The table and the policy as the configuration has them. */
export function configured(sip: SipConfig): ConfiguredHooks {
  const { max_age: maxAge, ...delivery } = sip.delivery;
  return { configHooks: toHooks(sip), policy: { ...delivery, maxAge } };
}

/** What the configuration says of calls that belong to a hook by something else than their host. */
export function toRoutes({ routes: entries }: SipConfig): readonly CallRoute[] {
  return entries.flatMap(({ hook, number, number_prefix: prefix, trunk, attribute, value }): CallRoute[] => {
    if (number !== undefined) return [{ hook, when: { kind: "number", number } }];
    if (prefix !== undefined) return [{ hook, when: { kind: "number_prefix", prefix } }];
    if (trunk !== undefined) return [{ hook, when: { kind: "trunk", trunk } }];
    if (attribute === undefined || value === undefined) return [];
    return [{ hook, when: { kind: "attribute", attribute, value } }];
  });
}

/** The hooks of the configuration. */
export function toHooks(sip: SipConfig): readonly Hook[] {
  return sip.hooks.map(
    ({ host, url, auth_id: authId, secret, previous_secret: previousSecret, credentials, delivery }) => ({
      id: hookId(host, authId),
      host,
      url,
      source: "config",
      ...(authId === undefined ? {} : { authId }),
      ...(secret === undefined ? {} : { secret }),
      ...(previousSecret === undefined ? {} : { previousSecret }),
      ...(credentials === undefined ? {} : { credentials: readWritten<SecretSource>(credentials) }),
      ...(delivery === undefined ? {} : { policy: fromSettings(delivery) }),
    }),
  );
}

/** Which secret references may be used at run time, and by whom. */
function secretGrants({ auth: { api_secrets: secrets } }: Config, sip: SipConfig): SecretGrants {
  const tenants = secrets.filter(({ role }) => role === "tenant");
  const ofTenants = new Map(tenants.map(({ id, secret_refs: refs }) => [id, refs]));
  return { ofOperators: sip.allowed_secret_refs, ofTenants };
}
