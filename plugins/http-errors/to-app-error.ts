import { NotFoundError, ParseError, ValidationError } from "elysia";
import { AppError } from "../../src/domain/errors";
import { findProblems, type Problem } from "./find-problems";

export type AskedRoute = {
  /** The methods that the path has routes for, when the request's is none of them. */
  readonly methods: () => readonly string[];
  /** See `findNumbers`. */
  readonly wrongNumbers: () => readonly Problem[];
};

export function toAppError(error: unknown, { methods, wrongNumbers }: AskedRoute): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof NotFoundError) {
    const allowed = methods();
    if (allowed.length === 0) return new AppError("not_found");
    return new AppError("method_not_allowed", { headers: { allow: allowed.join(", ") } });
  }
  // Elysia wraps what is thrown while a body is parsed. What its own parsers say repeats the input.
  if (error instanceof ParseError) {
    if (error.cause instanceof AppError) return error.cause;
    return new AppError("invalid_request", { message: "the body cannot be read as its content type says" });
  }
  if (error instanceof ValidationError) {
    const problems = findProblems(error, wrongNumbers);
    // Our own answer does not have its form. Not the error itself: its message holds the whole answer.
    if (error.type === "response") return new AppError("internal", { cause: { invalidResponse: problems } });
    const [first] = problems;
    return new AppError("invalid_request", {
      ...(first === undefined ? {} : { message: `${first.field}: ${first.message}` }),
      fields: { problems },
    });
  }
  return new AppError("internal", { cause: error });
}
