import { randomUUID } from "node:crypto";

export const REQUEST_ID_HEADER = "x-request-id";

/** Visible ASCII without what has a meaning in a shell, a query or a line of a log. */
const SANE = /^[A-Za-z0-9._:+=@/-]{1,128}$/;
const ids = new WeakMap<Request, string>();

/**
 * The id by which a request is found in the log: the one that it came with (`x-request-id`), when a line of the log may hold it,
 * so that a proxy's log and this one can be laid side by side; else a new one. Of one request it is always the same.
 */
export function requestIdOf(request: Request, newRequestId: () => string = randomUUID): string {
  const known = ids.get(request);
  if (known !== undefined) return known;
  const offered = request.headers.get(REQUEST_ID_HEADER);
  const id = offered !== null && SANE.test(offered) ? offered : newRequestId();
  ids.set(request, id);
  return id;
}
