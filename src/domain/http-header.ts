/**
 * True for what may be a header's name: a `token` (RFC 9110 section 5.6.2) that begins with a letter or digit, of 100
 * characters at most. `__proto__` is a token too.
 */
export const isToken = (text: string): boolean => /^[A-Za-z0-9][A-Za-z0-9!#$%&'*+.^_`|~-]{0,99}$/.test(text);

/**
 * True for what may be a header's value: visible ASCII, with spaces and tabs inside (RFC 9110 section 5.5). Node would
 * send other characters as Latin-1, which receivers read as they like.
 */
export const isHeaderValue = (text: string): boolean => /^[\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?$/.test(text);

/** True for what may follow `Bearer `: visible ASCII. More than RFC 6750's `b64token`, for tokens that are none. */
export const isBearerToken = (text: string): boolean => /^[\x21-\x7e]+$/.test(text);

/** RFC 7617 section 2: no control characters. */
export const isPassword = (text: string): boolean => !/\p{Cc}/u.test(text);

export const basicAuthorization = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`, "utf8").toString("base64")}`;
