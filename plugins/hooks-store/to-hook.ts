import { mapCredentials } from "../../src/domain/credentials";
import { hookId, ownPolicyOf, type Hook, type StoredHook } from "../../src/domain/hook";
import { parseSecretSource } from "../../src/domain/secret";

/** A hook added at run time, as it is in the table. */
export function toHook(stored: StoredHook): Hook {
  const { host, url, authId, secretRef, previousSecret, credentials, operatorPolicy } = stored;
  const policy = ownPolicyOf(stored);
  return {
    id: hookId(host, authId),
    host,
    url,
    source: "runtime",
    ...(authId === undefined ? {} : { authId }),
    ...(secretRef === undefined ? {} : { secret: parseSecretSource(secretRef) }),
    ...(previousSecret === undefined
      ? {}
      : { previousSecret: { secret: parseSecretSource(previousSecret.ref), until: previousSecret.until } }),
    ...(credentials === undefined ? {} : { credentials: mapCredentials(credentials, parseSecretSource) }),
    ...(policy === undefined ? {} : { policy }),
    ...(operatorPolicy === undefined ? {} : { operatorPolicy }),
  };
}
