import { ERRORS } from "../../src/domain/errors";

/** The rows of the README's table of the API's errors: status, code, message, hint. */
export function errorTable(): readonly (readonly string[])[] {
  return Object.entries(ERRORS)
    .toSorted(([, a], [, b]) => a.status - b.status)
    .map(([code, { status, message, hint }]) => [String(status), `\`${code}\``, message, hint.replaceAll("<", "&lt;")]);
}
