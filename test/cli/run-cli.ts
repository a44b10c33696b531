const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;

export type CliRun = { readonly code: number; readonly out: string; readonly err: string };

export type CliOptions = {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
};

/** The command line as a person runs it, without a terminal; nothing of the tests' environment says which service it asks. */
export function startCli(args: readonly string[], { env, stdin }: CliOptions = {}) {
  return Bun.spawn([process.execPath, MAIN, ...args], {
    stdin: stdin === undefined ? "ignore" : new TextEncoder().encode(stdin),
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, SAYNA_SIP_URL: "", SAYNA_SIP_TOKEN: "", ...env },
  });
}

export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  const process = startCli(args, options);
  const [out, err, code] = await Promise.all([process.stdout.text(), process.stderr.text(), process.exited]);
  return { code, out, err };
}

/** What is another at each run (times, lengths, ports, made-up ids) by its name, and no padding. */
export function steady(text: string): string {
  return text
    .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\.\d{3}Z/g, "<time>")
    .replaceAll(/EV_test_[0-9a-f-]{36}/g, "EV_test_<id>")
    .replaceAll(/(127\.0\.0\.1|localhost):\d+/g, "$1:<port>")
    .replaceAll(/\d+(\.\d)? (ms|s|min|h)\b( \d+ (s|min)\b)?/g, "<length>")
    .replaceAll(/\+ *\d+\.\d{3}/g, "+<seconds>")
    .replaceAll(/ {2,}/g, "  ")
    .trimEnd();
}
