import { t } from "elysia";
import { AppError, ERRORS, type ErrorCode } from "../../src/domain/errors";

type StatusOf<Code extends ErrorCode> = (typeof ERRORS)[Code]["status"];

/**
 * The schemas of a route's error answers, by status, for its `response`: `{200: …, ...errorResponses(["forbidden"])}`.
 * Codes of the same status share a schema.
 */
export function errorResponses<const Code extends ErrorCode>(codes: readonly Code[]): ErrorResponses<Code>;
export function errorResponses(codes: readonly ErrorCode[]): Partial<Record<number, ErrorSchema>> {
  const byStatus = Map.groupBy(codes, (code) => ERRORS[code].status);
  return Object.fromEntries([...byStatus].map(([status, those]) => [status, errorSchema(...those)]));
}

export type ErrorResponses<Code extends ErrorCode> = { readonly [Status in StatusOf<Code>]: ErrorSchema };
export type ErrorSchema = ReturnType<typeof errorSchema>;

/** The schema of an error answer with one of these codes, each with an example. */
export function errorSchema(...codes: readonly ErrorCode[]) {
  const fields = {
    // Not t.UnionEnum: it makes the first value the default, also in the document.
    code: t.String({ enum: codes }),
    message: t.String({ description: "What is wrong." }),
    hint: t.String({ description: "What to do about it." }),
    request_id: t.Optional(
      t.String({
        description: "By which the operator finds the request in the log: its `x-request-id`, or a new one.",
      }),
    ),
  };
  return t.Object(
    { error: t.Object(fields, { additionalProperties: true, description: "Some codes add members of their own." }) },
    {
      description: codes.map((code) => `\`${code}\`: ${ERRORS[code].message}.`).join(" "),
      examples: codes.map((code) => new AppError(code).toBody()),
    },
  );
}
