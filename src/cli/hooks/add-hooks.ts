import type { ApiClient } from "../api-client";
import { misuse } from "../command-error";
import type { ExitCode } from "../exit-code";
import type { Output } from "../output";
import { readInput } from "../read-input";
import { showHooks, type HookTable } from "./list-hooks";

export type AddedHook = {
  readonly host: string | undefined;
  readonly url: string | undefined;
  readonly authId?: string | undefined;
  readonly secret?: string | undefined;
  readonly from?: string | undefined;
};

/** @throws CommandError when it is neither a host and a URL nor a file, or the file is none of the API's form. */
export async function addHooks(api: ApiClient, output: Output, added: AddedHook): Promise<ExitCode> {
  const body = added.from === undefined ? bodyOf(added) : await readFrom(added.from, added);
  const answer = await api.send<HookTable>("POST", "/sip/hooks", body);
  return showHooks(answer, output, hostsOf(body));
}

function bodyOf({ host, url, authId, secret }: AddedHook): unknown {
  if (host === undefined || url === undefined) {
    throw misuse("a hook is a host and an https:// URL", "sayna-sip hooks add --help shows examples");
  }
  const entry = {
    host,
    url,
    ...(authId === undefined ? {} : { auth_id: authId }),
    ...(secret === undefined ? {} : { secret }),
  };
  return { hooks: [entry] };
}

async function readFrom(file: string, { host, authId, secret }: AddedHook): Promise<unknown> {
  if (host !== undefined || authId !== undefined || secret !== undefined) {
    throw misuse("--from has all that the hooks are: no host, --auth-id or --secret beside it");
  }
  const text = await readInput(file);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw misuse(
      `${file === "-" ? "The standard input" : file} is no JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function hostsOf(body: unknown): readonly string[] {
  const { hooks } = (body ?? {}) as { readonly hooks?: unknown };
  const entries: unknown[] = Array.isArray(hooks) ? hooks : [];
  return entries.flatMap((entry) => {
    const { host } = (entry ?? {}) as { readonly host?: unknown };
    return typeof host === "string" ? [host] : [];
  });
}
