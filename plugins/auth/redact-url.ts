const SECRET_PARAMETERS = new Set(["api_key", "access_token"]);

/** The URL for a log line: without the values of `api_key` and `access_token`, however their names are written. */
export function redactUrl(url: string): string {
  const start = url.indexOf("?") + 1;
  if (start === 0) return url;
  return url.slice(0, start) + url.slice(start).split("&").map(redactPair).join("&");
}

function redactPair(pair: string): string {
  // Decoded as the server decodes it: `api%5Fkey` is `api_key` there.
  const [name = ""] = new URLSearchParams(pair).keys();
  const value = pair.indexOf("=") + 1;
  return value > 0 && SECRET_PARAMETERS.has(name.toLowerCase()) ? `${pair.slice(0, value)}[secret]` : pair;
}
