import type { OwnPolicy } from "../../src/domain/delivery-policy";
import { formatDuration } from "../../src/domain/duration";
import type { DeliveryEntry } from "./policy-schemas";

/** A hook's own policy as an answer shows it. */
export function viewPolicy({ schedule, maxAge, deadline, events, expiry, ...rest }: OwnPolicy): DeliveryEntry {
  return {
    ...(schedule === undefined ? {} : { schedule: schedule.map(formatDuration) }),
    ...(maxAge === undefined ? {} : { max_age: formatDuration(maxAge) }),
    ...(deadline === undefined ? {} : { deadline: formatDuration(deadline) }),
    ...(events === undefined ? {} : { events: [...events] }),
    ...(expiry === undefined ? {} : { expiry: expiry.map((each) => ({ ...each, after: formatDuration(each.after) })) }),
    ...rest,
  };
}
