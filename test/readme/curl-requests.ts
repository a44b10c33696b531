/** A request that a `curl` command of the README makes. */
export type CurlRequest = {
  /** The comment line above the command. */
  readonly comment: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
};

/**
 * The `curl` commands of a piece of shell, which know `-X`, `-H`, `-d`, quotes, `$NAME` and line ends after a backslash.
 *
 * @throws Error for anything else, so that an example cannot go untried.
 */
export function curlRequests(shell: string, variables: Readonly<Record<string, string>>): readonly CurlRequest[] {
  const commands = shell.matchAll(/(?:^# (.*)\n)?^curl ((?:\\\n|'[^']*'|[^'\n])*)$/gm);
  return [...commands].map(([, comment = "", words = ""]) => requestOf(comment, wordsOf(words, variables)));
}

function wordsOf(text: string, variables: Readonly<Record<string, string>>): string[] {
  const words = text.replaceAll("\\\n", " ").matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g);
  return [...words].map(([, single, double, bare]) => single ?? fill(double ?? bare ?? "", variables));
}

function fill(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$(\w+)/g, (_, name: string) => {
    const value = variables[name];
    if (value === undefined) throw new Error(`the README does not say what $${name} is`);
    return value;
  });
}

function requestOf(comment: string, words: readonly string[]): CurlRequest {
  const headers: Record<string, string> = {};
  let [method, url, body]: (string | undefined)[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (word === "-X") method = words[++i];
    else if (word === "-d") body = words[++i];
    else if (word === "-H") {
      const [name = "", value = ""] = (words[++i] ?? "").split(/: (.*)/s);
      headers[name.toLowerCase()] = value;
    } else if (word.startsWith("http://") && url === undefined) url = word;
    else throw new Error(`what is ${word} in a curl command?`);
  }
  if (url === undefined) throw new Error("a curl command without a URL");
  return { comment, method: method ?? (body === undefined ? "GET" : "POST"), url, headers, body };
}

/** Makes the request to the server at `server` in the place of the README's. */
export async function sendCurlRequest(
  server: string,
  { method, url, headers, body }: CurlRequest,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const { pathname, search } = new URL(url);
  const response = await fetch(`${server}${pathname}${search}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
