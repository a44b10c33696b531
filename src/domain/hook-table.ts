import type { Host } from "./host";
import { isWildcard, matchingWildcards, type HostPattern } from "./host-pattern";
import type { Hook } from "./hook";
import type { HookId } from "./ids";

/**
 * The forwarding table as routing sees it: hooks of the configuration shadow those added at run time for the same host.
 * Look-ups cost the same with one hook and with a hundred thousand: a map by host, and one by wildcard suffix.
 */
export class HookTable {
  readonly #byHost = new Map<HostPattern, Hook>();
  readonly #byId = new Map<HookId, Hook>();

  constructor(configHooks: readonly Hook[], runtimeHooks: readonly Hook[]) {
    for (const hook of [...configHooks, ...runtimeHooks]) {
      if (this.#byHost.has(hook.host)) continue;
      this.#byHost.set(hook.host, hook);
      this.#byId.set(hook.id, hook);
    }
  }

  get size(): number {
    return this.#byHost.size;
  }

  /** In the order of the configuration, then as they were added. */
  all(): readonly Hook[] {
    return [...this.#byHost.values()];
  }

  byId(id: HookId): Hook | undefined {
    return this.#byId.get(id);
  }

  byPattern(pattern: HostPattern): Hook | undefined {
    return this.#byHost.get(pattern);
  }

  /** The hook whose host is exactly this one. */
  exact(host: Host): Hook | undefined {
    const hook = this.#byHost.get(host);
    return hook === undefined || isWildcard(hook.host) ? undefined : hook;
  }

  /** The hook with the longest `*.suffix` that this host ends in; `*` stands for one label or more. */
  wildcard(host: Host): Hook | undefined {
    for (const pattern of matchingWildcards(host)) {
      const hook = this.#byHost.get(pattern);
      if (hook !== undefined) return hook;
    }
    return undefined;
  }
}
