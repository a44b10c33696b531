import type { Outage } from "../../src/domain/breaker";
import type { BreakerView } from "./hook-schemas";

/** An endpoint that is taken not to work, as an answer shows it. */
export function viewBreaker({ reason, since, nextProbe }: Outage): BreakerView {
  return {
    state: "open",
    reason,
    since: new Date(since).toISOString(),
    ...(nextProbe === undefined ? {} : { next_probe: new Date(nextProbe).toISOString() }),
  };
}
