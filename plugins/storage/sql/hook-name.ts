import type { HookName } from "../../../src/contracts/history";
import { hookIdFrom } from "../../../src/domain/ids";

/** A hook as the history names it; what is null is not known of it. */
export function hookName(hook: string, host: string | null, authId: string | null): HookName {
  return { id: hookIdFrom(hook), host: host ?? undefined, authId: authId ?? undefined };
}
