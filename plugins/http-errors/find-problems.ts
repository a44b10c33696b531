import type { ValidationError } from "elysia";
import { expectation } from "./expectation";

export type Problem = {
  /** Where, as a path: `body/hooks/0/url`. */
  readonly field: string;
  /** What was expected there. It never repeats what was sent. */
  readonly message: string;
};

const MAX_PROBLEMS = 20;
/** A name that the schema does not know is the caller's own, of any length. */
const MAX_FIELD_LENGTH = 120;

/**
 * What is wrong with a request, or with an answer: the first problem of each field.
 *
 * @param lost finds what Elysia has lost the place of: a number in a query or a path that is a number, but not a right one.
 */
export function findProblems(error: ValidationError, lost: () => readonly Problem[]): readonly Problem[] {
  if (error.type === "body" && error.value === undefined) return [{ field: "body", message: "Expected a JSON body" }];
  const found = error.type === "property" ? lost() : [];
  if (found.length > 0) return found.slice(0, MAX_PROBLEMS);
  const place = error.type === "property" ? "request" : error.type;
  const problems = new Map<string, Problem>();
  for (const one of error.all) {
    const field = `${place}${"path" in one ? one.path : ""}`.slice(0, MAX_FIELD_LENGTH);
    if (!problems.has(field)) problems.set(field, { field, message: expectation(one) });
    if (problems.size === MAX_PROBLEMS) break;
  }
  return [...problems.values()];
}
