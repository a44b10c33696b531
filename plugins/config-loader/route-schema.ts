import { Type } from "@sinclair/typebox";
import { normalizeNumber } from "../../src/domain/phone-number";
import { quote } from "./quote";
import { entry, hookHost, parsed, text } from "./schema-parts";
import { textFormat } from "./text-format";

const NUMBER = textFormat("called-number", {
  expects: 'a number in quotes, such as "+15557654321"',
  refuse: (value, name) =>
    normalizeNumber(value) === undefined
      ? {
          message: `${name} is not a number: ${quote(value)}`,
          hint: 'Write it as the carrier sends it, with + if it does: "+15557654321"; -, ., ( and ) do not count.',
        }
      : undefined,
});

const TRUNK = textFormat("trunk-id", {
  expects: "a trunk's id, such as ST_fwJGZrgK2ygg",
  refuse: (value, name) =>
    /^ST_[A-Za-z0-9_-]{1,100}$/.test(value)
      ? undefined
      : {
          message: `${name} is not the id of a LiveKit trunk: ${quote(value)}`,
          hint: "Use the id, which begins with ST_ (lk sip inbound list shows it), not the name.",
        },
});

/** Participants' attributes and their values are any texts. */
const ATTRIBUTE = textFormat("attribute", {
  expects: "a string",
  refuse: (value, name) =>
    value === "" ? { message: `${name} cannot be empty`, hint: "Give it a value, or remove it." } : undefined,
});

/** `sip.routes[]` */
export const RouteSchema = entry(
  {
    hook: hookHost({
      description: "The host of the hook that these calls belong to, as it is in the forwarding table.",
    }),
    number: Type.Optional(
      parsed(NUMBER, { description: "The number that was called. Matcher: called-number." }, normalizeNumber),
    ),
    number_prefix: Type.Optional(
      parsed(
        NUMBER,
        { description: "What the called number begins with; the longest one counts. Matcher: number-prefix." },
        normalizeNumber,
      ),
    ),
    trunk: Type.Optional(
      text(TRUNK, { description: "LiveKit's id of the trunk that the call came in by. Matcher: trunk." }),
    ),
    attribute: Type.Optional(
      text(ATTRIBUTE, { description: "An attribute of the SIP participant, with `value`. Matcher: attribute." }),
    ),
    value: Type.Optional(text(ATTRIBUTE, { description: "The value that the attribute must have, to the letter." })),
  },
  { description: "One of number, number_prefix, trunk and attribute, and the hook." },
);
