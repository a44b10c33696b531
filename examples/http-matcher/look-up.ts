import type { Secret } from "sayna-sip";

export type LookUpOptions = {
  /** With `{number}` in it. */
  readonly url: string;
  readonly token: Secret | undefined;
  readonly timeoutMs: number;
};

/** What the directory says of a number: the host of its hook, or that it has none. */
export type Entry = { readonly host: string | undefined };

/**
 * Asks the directory about a number. 200 and `{"host": "…"}` is a hook's host, 404 is a number that it does not know.
 *
 * @throws Error for everything else: what was not answered is not known, and must not be taken for an unknown number.
 */
export async function lookUp(number: string, { url, token, timeoutMs }: LookUpOptions): Promise<Entry> {
  const response = await fetch(url.replaceAll("{number}", encodeURIComponent(number)), {
    headers: {
      accept: "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` }),
    },
    // A redirect could hand the token to somebody else.
    redirect: "error",
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (response.status === 404) return { host: undefined };
  if (!response.ok) throw new Error(`the directory answered ${response.status}`);
  const answer: unknown = await response.json();
  if (typeof answer === "object" && answer !== null && "host" in answer && typeof answer.host === "string") {
    return { host: answer.host };
  }
  throw new Error("the directory's answer has no host");
}
