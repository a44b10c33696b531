import { readFileSync } from "node:fs";
import { Command } from "@commander-js/extra-typings";
import { createApiClient, type ApiClient } from "./api-client";
import { misuse } from "./command-error";

export type ServiceFlags = { readonly url?: string | undefined; readonly tokenFile?: string | undefined };

export type ConnectOptions = {
  readonly signal?: AbortSignal;
  /** For where neither a flag nor a variable names the service: its address, and a token for it. */
  readonly otherwise?: { readonly url: string; readonly token: string | undefined };
};

const DEFAULT_URL = "http://127.0.0.1:3001";

/** A command with `--json`. */
export function jsonCommand(name: string) {
  return new Command(name).option("--json", "print JSON");
}

/** A command that asks a running service: with `--url`, `--token-file` and `--json`. */
export function serviceCommand(name: string) {
  return jsonCommand(name)
    .option("--url <url>", `the service's address (SAYNA_SIP_URL; ${DEFAULT_URL} by default)`)
    .option("--token-file <file>", "a file that holds the API's token (or the token itself in SAYNA_SIP_TOKEN)");
}

/**
 * The service that the flags and the environment name; a flag wins over its variable. There is no flag for the token
 * itself: everybody on the machine sees a process's arguments.
 *
 * @throws CommandError for an address that is none, and a file that cannot be read.
 */
export function connect(flags: ServiceFlags, { signal, otherwise }: ConnectOptions = {}): ApiClient {
  const named = flags.url ?? given(process.env["SAYNA_SIP_URL"]);
  const url = named ?? otherwise?.url ?? DEFAULT_URL;
  const protocol = URL.parse(url)?.protocol;
  if (protocol !== "http:" && protocol !== "https:") {
    const from = flags.url === undefined ? "SAYNA_SIP_URL" : "--url";
    throw misuse(`${from} is not an http:// or https:// URL: ${url}`, `Example: ${DEFAULT_URL}`);
  }
  const ours = flags.tokenFile === undefined ? given(process.env["SAYNA_SIP_TOKEN"]) : readToken(flags.tokenFile);
  // A token that was not given for an address is not sent to another one.
  const token = ours ?? (named === undefined ? otherwise?.token : undefined);
  return createApiClient({ url, token, ...(signal === undefined ? {} : { signal }) });
}

function readToken(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    throw misuse(`The token file cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const given = (value: string | undefined): string | undefined => (value?.trim() === "" ? undefined : value?.trim());
