import { Type } from "@sinclair/typebox";
import { t, type Static } from "elysia";
import { EVENT_PATTERN } from "../../src/domain/event-names";

const duration = (description: string) =>
  t.String({ pattern: "^[1-9]\\d{0,8}(ms|s|m|h|d)$", maxLength: 12, description, examples: ["10s"] });

const EventPattern = t.String({
  pattern: EVENT_PATTERN.source,
  description: "A LiveKit event's name, or a pattern: `*` stands for any characters.",
  examples: ["participant_*"],
});

/** What a hook has of its own of the delivery policy, in a request and in an answer. */
export const DeliveryEntry = t.Object(
  {
    schedule: t.Optional(
      t.Array(duration("One wait."), {
        minItems: 1,
        maxItems: 50,
        description: "The waits before a failed delivery is tried again; after the last one it is dead.",
      }),
    ),
    max_age: t.Optional(duration("What is older is not sent any more, and listed as expired.")),
    deadline: t.Optional(duration("Covers an attempt from DNS to the answer's last byte; at most `5m`.")),
    concurrency: t.Optional(Type.Integer({ minimum: 1, maximum: 200, description: "Attempts at a time." })),
    rate: t.Optional(Type.Integer({ minimum: 1, maximum: 10_000, description: "Attempts per second." })),
    order: t.Optional(
      t.UnionEnum(["call", "none"], {
        description: "`call`: the events of one call one after the other. `none`: each one for itself.",
      }),
    ),
    events: t.Optional(
      t.Array(EventPattern, {
        minItems: 1,
        maxItems: 50,
        description: "The events that are wanted; no others are sent.",
      }),
    ),
    expiry: t.Optional(
      t.Array(
        t.Object(
          { events: EventPattern, after: duration("What is older is not sent any more.") },
          { additionalProperties: false },
        ),
        { maxItems: 50, description: "A shorter `max_age` for some events; the first entry that fits counts." },
      ),
    ),
  },
  {
    additionalProperties: false,
    description:
      "What this hook has of its own of the delivery policy; the rest is as the operator set it for all (`sip.delivery`). " +
      "A tenant may only ask for less: fewer attempts at a time and per second, shorter times, fewer tries. What an operator " +
      "sets here stays when the tenant replaces the hook, and is then what it may ask for less of.",
    examples: [{ concurrency: 2, rate: 5, events: ["participant_*"], max_age: "1h" }],
  },
);

/** The same in an answer, beside `delivery`. */
export const OperatorDelivery = t.Object(DeliveryEntry.properties, {
  additionalProperties: false,
  description: "What of `delivery` an operator set: the tenant may ask for less, and cannot leave it out.",
});

export type DeliveryEntry = Static<typeof DeliveryEntry>;
