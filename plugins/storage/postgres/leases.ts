import type { HookId } from "../../../src/domain/ids";
import type { Job } from "./heads";

export type Lease = { readonly hook: HookId; readonly lane: number; readonly job: Job };

/** What this instance has fetched and not settled. */
export class Leases {
  readonly #byLane = new Map<number, Lease>();

  get(lane: number): Lease | undefined {
    return this.#byLane.get(lane);
  }

  /** The latest one of a lane counts. */
  add(lease: Lease): void {
    this.#byLane.set(lease.lane, lease);
  }

  /** Forgets this lease, unless the lane was leased again meanwhile. */
  drop({ lane, job }: Lease): void {
    const known = this.#byLane.get(lane)?.job;
    if (known?.id === job.id && known.retryCount === job.retryCount) this.#byLane.delete(lane);
  }

  of(hook: HookId): Lease[] {
    return [...this.#byLane.values()].filter((lease) => lease.hook === hook);
  }

  byHook(): Map<HookId, Lease[]> {
    return Map.groupBy(this.#byLane.values(), ({ hook }) => hook);
  }
}
