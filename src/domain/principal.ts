import type { HostPattern } from "./host-pattern";
import { covers } from "./host-pattern";

/** Who calls the API. */
export type Principal =
  | { readonly role: "operator"; readonly id: string }
  /** `id` is an auth_id; `hosts` are those it may add hooks for. */
  | { readonly role: "tenant"; readonly id: string; readonly hosts: readonly HostPattern[] };

/** A tenant sees its own hooks only. */
export function maySee(caller: Principal, authId: string | undefined): boolean {
  return caller.role === "operator" || caller.id === authId;
}

/** Whether the caller may have a hook for this host at all. */
export function mayHaveHost(caller: Principal, host: HostPattern): boolean {
  return caller.role === "operator" || caller.hosts.some((granted) => covers(granted, host));
}
