import { block, byteSize, duration } from "./schema-parts";

export const RetentionSchema = block(
  {
    delivered: duration({
      description: "How long an event is kept after its last delivery has arrived; at least 1h.",
      variable: "RETENTION_DELIVERED",
      default: "7d",
    }),
    dead: duration({
      description: "How long one of which a delivery is dead, expired or cancelled; at least 1h.",
      variable: "RETENTION_DEAD",
      default: "30d",
    }),
    unmatched: duration({
      description: "How long one that found no hook; at least 1h.",
      variable: "RETENTION_UNMATCHED",
      default: "30d",
    }),
    max_size: byteSize({
      description:
        "Size of the database above which they are removed earlier: what arrived first, then what found no hook, then what " +
        "is dead; at least 64MiB. What is still to be delivered is never removed.",
      variable: "RETENTION_MAX_SIZE",
      default: "2GiB",
    }),
  },
  { description: "How long is kept what is done with." },
);
