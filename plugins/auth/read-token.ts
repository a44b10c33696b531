/** What a request offers as its credential: a token, nothing, or something that can be no token of ours. */
export type OfferedToken =
  { readonly kind: "token"; readonly token: string } | { readonly kind: "none" } | { readonly kind: "unusable" };

// RFC 9110 section 11.1: the scheme is case-insensitive. @elysiajs/bearer knows `Bearer` only, and takes `Bearerxyz`.
const BEARER = /^bearer(?: +(?<token>.*))?$/i;

/**
 * The token of `Authorization: Bearer <token>`, else of `?api_key=<token>`. When both are there the header decides: RFC
 * 6750 section 2 forbids a client to send both, and of the two the header is the one that no link and no log hands on.
 *
 * @param bearer what `@elysiajs/bearer` found.
 */
export function readToken(request: Request, bearer: string | undefined): OfferedToken {
  const authorization = request.headers.get("authorization");
  const header = authorization === null ? null : BEARER.exec(authorization);
  if (header !== null) return { kind: "token", token: header.groups?.["token"] ?? "" };

  const offered = queryOf(request.url).getAll("api_key");
  // Fails closed because a proxy in front may have looked at another one of them than we would.
  if (offered.length > 1) return { kind: "unusable" };
  if (offered.length === 1) return { kind: "token", token: bearer ?? offered[0] ?? "" };
  // Fails closed because a caller who sends a credential of another kind does not mean to be anonymous.
  return authorization === null ? { kind: "none" } : { kind: "unusable" };
}

function queryOf(url: string): URLSearchParams {
  const start = url.indexOf("?");
  return new URLSearchParams(start < 0 ? "" : url.slice(start + 1));
}
