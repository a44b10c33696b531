import type { HostPattern } from "./host-pattern";

/** Which hosts a tenant has hooks for. A tenant of one host has no set of its own: that is a third of the memory (measured). */
export class TenantHosts {
  readonly #hosts = new Map<string, HostPattern | Set<HostPattern>>();

  /** In the order in which they were added. */
  of(authId: string): Iterable<HostPattern> {
    const hosts = this.#hosts.get(authId);
    if (hosts === undefined) return [];
    return typeof hosts === "string" ? [hosts] : hosts;
  }

  add(authId: string, host: HostPattern): void {
    const hosts = this.#hosts.get(authId);
    if (hosts === undefined) this.#hosts.set(authId, host);
    else if (typeof hosts !== "string") hosts.add(host);
    else if (hosts !== host) this.#hosts.set(authId, new Set([hosts, host]));
  }

  delete(authId: string, host: HostPattern): void {
    const hosts = this.#hosts.get(authId);
    if (hosts === host) this.#hosts.delete(authId);
    if (hosts === undefined || typeof hosts === "string") return;
    hosts.delete(host);
    if (hosts.size === 0) this.#hosts.delete(authId);
  }
}
