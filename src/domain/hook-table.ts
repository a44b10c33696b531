import type { Host } from "./host";
import { isWildcard, matchingWildcards, type HostPattern } from "./host-pattern";
import type { Hook } from "./hook";
import type { HookId } from "./ids";
import { TenantHosts } from "./tenant-hosts";

/** What a host is to have; without `hook`, none. */
export type TableChange = { readonly host: HostPattern; readonly hook?: Hook };

/**
 * The forwarding table as routing sees it: hooks of the configuration shadow those added at run time for the same host.
 * Look-ups cost the same with one hook and with a hundred thousand: a map by host, and one by wildcard suffix. So does a
 * change of one host.
 */
export class HookTable {
  readonly #byHost = new Map<HostPattern, Hook>();
  readonly #byId = new Map<HookId, Hook>();
  readonly #ofTenants = new TenantHosts();
  #all: readonly Hook[] | undefined;

  constructor(configHooks: readonly Hook[], runtimeHooks: readonly Hook[] = []) {
    for (const hook of configHooks) if (!this.#byHost.has(hook.host)) this.#put(hook, undefined);
    this.change(runtimeHooks.map((hook) => ({ host: hook.host, hook })));
  }

  get size(): number {
    return this.#byHost.size;
  }

  /**
   * Changes hooks added at run time; a host of the configuration is left alone. A replaced hook keeps its place, a new one
   * comes last. Returns the ids that no hook has any more. All at once, so that no event is matched by half of a change, which
   * could give a call to the wrong tenant for good: 1,000 take 1.5 ms, and 100,000, by a rollback, up to 0.1 s (measured).
   */
  change(changes: Iterable<TableChange>): HookId[] {
    const gone: HookId[] = [];
    for (const { host, hook } of changes) {
      const before = this.#byHost.get(host);
      if (before?.source === "config") continue;
      if (before !== undefined && before.id !== hook?.id) gone.push(before.id);
      if (hook !== undefined) this.#put(hook, before);
      else if (before !== undefined) this.#remove(before);
    }
    this.#all = undefined;
    return gone;
  }

  /**
   * In the order of the configuration, then as they were added. The list stays as it is when the table changes; the first
   * one after a change is made anew, which takes 1 to 2 ms for 100,000 hooks (measured).
   */
  all(): readonly Hook[] {
    this.#all ??= Array.from(this.#byHost.values());
    return this.#all;
  }

  /** Those of this tenant, in the order in which they became its own. */
  ofTenant(authId: string): readonly Hook[] {
    return Array.from(this.#ofTenants.of(authId)).flatMap((host) => this.#byHost.get(host) ?? []);
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

  #put(hook: Hook, before: Hook | undefined): void {
    if (before !== undefined && before.authId !== hook.authId) this.#forget(before);
    this.#byHost.set(hook.host, hook);
    this.#byId.set(hook.id, hook);
    if (hook.authId !== undefined && before?.authId !== hook.authId) this.#ofTenants.add(hook.authId, hook.host);
  }

  #remove(hook: Hook): void {
    this.#byHost.delete(hook.host);
    this.#forget(hook);
  }

  #forget({ id, host, authId }: Hook): void {
    this.#byId.delete(id);
    if (authId !== undefined) this.#ofTenants.delete(authId, host);
  }
}
