import { Type, type SchemaOptions } from "@sinclair/typebox";
import { EVENT_PATTERN } from "../../src/domain/event-names";
import { quote } from "./quote";
import { block, duration, entry, list, text } from "./schema-parts";
import { textFormat } from "./text-format";

const PATTERN = textFormat("event-pattern", {
  expects: "the name of an event, or a pattern such as participant_*",
  refuse: (value, name) =>
    EVENT_PATTERN.test(value)
      ? undefined
      : {
          message: `${name} is not the name of an event, nor a pattern: ${quote(value)}`,
          hint: 'Use letters, digits and _, and * for any characters: participant_joined, track_*, "*".',
        },
});

/** A default counts in the block for all; a hook's own block has none. */
const settings = (withDefault: (value: unknown) => SchemaOptions) => ({
  schedule: list(duration({ description: "One wait." }), {
    description:
      "The waits before a failed delivery is tried again, each with ±20 % jitter; after the last one it is dead.",
    ...withDefault(["1s", "5s", "15s", "1m", "5m"]),
    minItems: 1,
    maxItems: 50,
  }),
  max_age: duration({
    description: "What is older is not sent any more, and listed as expired.",
    ...withDefault("24h"),
  }),
  deadline: duration({
    description: "Covers an attempt from DNS to the answer's last byte; at most 5m.",
    ...withDefault("10s"),
  }),
  concurrency: Type.Integer({
    description: "Attempts at a time per hook; 200 in all is the limit of the whole service.",
    ...withDefault(10),
    minimum: 1,
    maximum: 200,
  }),
  rate: Type.Optional(
    Type.Integer({
      description: "Attempts per second per hook; without it as many as go.",
      minimum: 1,
      maximum: 10_000,
    }),
  ),
  order: Type.Union([Type.Literal("call"), Type.Literal("none")], {
    description: "call: the events of one call one after the other. none: each one for itself.",
    ...withDefault("call"),
  }),
  events: list(text(PATTERN, { description: "An event's name, or a pattern: * stands for any characters." }), {
    description: "The LiveKit events that are wanted; the others are not sent.",
    ...withDefault(["*"]),
    minItems: 1,
    maxItems: 50,
  }),
  expiry: list(
    entry(
      {
        events: text(PATTERN, { description: "The events: a name, or a pattern." }),
        after: duration({ description: "What is older is not sent any more." }),
      },
      { description: "One shorter maximum age." },
    ),
    {
      description: "A shorter max_age for some events; the first entry that fits counts.",
      ...withDefault([]),
      maxItems: 50,
    },
  ),
});

/** `sip.delivery` */
export const DeliverySchema = block(
  settings((value) => ({ default: value })),
  { description: "How events are delivered. A hook's own delivery block replaces single settings of it." },
);

const own = settings(() => ({}));

/** A hook's `delivery` */
export const HookDeliverySchema = entry(
  {
    ...own,
    schedule: Type.Optional(own.schedule),
    max_age: Type.Optional(own.max_age),
    deadline: Type.Optional(own.deadline),
    concurrency: Type.Optional(own.concurrency),
    order: Type.Optional(own.order),
    events: Type.Optional(own.events),
    expiry: Type.Optional(own.expiry),
  },
  { description: "What this hook has of its own of sip.delivery." },
);
