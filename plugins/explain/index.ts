import { Elysia } from "elysia";
import type { AuthPlugin } from "../auth";
import { errorResponses } from "../http-errors";
import { explainEvent, type ExplainOptions } from "./explain-event";
import { ExplainAnswer, ExplainRequest } from "./explain-schemas";
import { readQuestion } from "./question";

/** `POST /sip/explain`. */
export function explain({ auth, ...options }: ExplainOptions & { readonly auth: AuthPlugin }) {
  return new Elysia({ name: "sayna-sip/explain", tags: ["history"] }).use(auth).post(
    "/sip/explain",
    ({ body, caller }) => {
      const [header = "To"] = options.matching().hostHeaders;
      return explainEvent(readQuestion(body, options.roomPrefix, header), caller, options);
    },
    {
      caller: true,
      body: ExplainRequest,
      response: {
        200: ExplainAnswer,
        ...errorResponses(["invalid_request", "invalid_json", "unauthorized", "payload_too_large"]),
      },
      detail: {
        summary: "Explain what would happen to a call or an event",
        description:
          "Nothing is stored or sent; the matchers are asked. A tenant is answered about its own hooks only: a host of another " +
          "tenant looks like one without a hook.",
      },
    },
  );
}
