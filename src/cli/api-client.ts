import { CommandError } from "./command-error";
import { visible } from "./visible";

export type ApiClientOptions = {
  /** Of the service, without a path: `http://127.0.0.1:3001`. */
  readonly url: string;
  readonly token: string | undefined;
  /** Ends what is under way. */
  readonly signal?: AbortSignal;
};

export type QueryValue = string | number | undefined;

/** Asks a running service. Each call gives the answer's JSON. */
export type ApiClient = {
  readonly url: string;
  /** @throws CommandError when the service is not there, or its answer is an error. */
  readonly get: <Answer>(path: string, query?: Readonly<Record<string, QueryValue>>) => Promise<Answer>;
  /** @throws CommandError likewise */
  readonly send: <Answer>(method: "POST" | "DELETE", path: string, body: unknown) => Promise<Answer>;
};

/** Longer than anything that the service does for one request: a test of a hook waits for its deadline, a minute at most. */
const TIMEOUT_MS = 90_000;

export function createApiClient({ url, token, signal }: ApiClientOptions): ApiClient {
  const base = url.replace(/\/+$/, "");

  async function ask<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(`${base}${path}`, {
      method,
      headers: {
        accept: "application/json",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // A token must not follow a redirect to another host, nor go to a proxy: Bun asks HTTP_PROXY's for 127.0.0.1, too.
      redirect: "manual",
      proxy: false,
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    }).catch((error: unknown) => {
      throw notReached(base, error);
    });
    const json = await response.json().catch(() => undefined);
    if (response.ok && json !== undefined) return json as Answer;
    throw answeredWithError(base, response.status, json);
  }

  return {
    url: base,
    get: (path, query = {}) => {
      const given = Object.entries(query).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, String(value)] as [string, string]],
      );
      return ask("GET", given.length === 0 ? path : `${path}?${String(new URLSearchParams(given))}`);
    },
    send: (method, path, body) => ask(method, path, body),
  };
}

function notReached(url: string, error: unknown): CommandError {
  const reason = error instanceof Error ? error.message : String(error);
  return new CommandError(`No answer from ${url}: ${visible(reason)}`, {
    hint: "Is the service running there? --url or SAYNA_SIP_URL says where it listens.",
  });
}

/** The API's errors are `{"error": {"code", "message", "hint", …}}`. */
type ApiError = { readonly code: string; readonly message: string; readonly hint?: string };

function answeredWithError(url: string, status: number, json: unknown): CommandError {
  const error = readError(json);
  if (error === undefined) {
    return new CommandError(`${url} answered ${status}, and not as sayna-sip does`, {
      hint: "--url or SAYNA_SIP_URL is the address of sayna-sip itself, without a path.",
    });
  }
  const hint = HINTS[error.code] ?? error.hint;
  return new CommandError(`${visible(error.message)} (${error.code}, ${status} from ${url})`, {
    json,
    ...(hint === undefined ? {} : { hint: visible(hint) }),
  });
}

/** What to do here, where the API's own hint speaks of requests. */
const HINTS: Readonly<Record<string, string>> = {
  unauthorized: "Name the file that holds your token with --token-file, or set SAYNA_SIP_TOKEN.",
  not_found:
    "--url or SAYNA_SIP_URL is the address of sayna-sip itself, without a path; with server.management that of its own port.",
  auth_id_required: "Name the tenant that owns the hook by --auth-id, or by auth_id in the file.",
  hook_not_found: "The hosts that have one: sayna-sip hooks list",
  version_not_found: "Those that there are: sayna-sip hooks history; 0 is the empty table before the first.",
  delivery_not_found: "Those that you may see: sayna-sip deliveries list",
  call_not_found: "Those that you may see: sayna-sip calls list",
};

function readError(json: unknown): ApiError | undefined {
  const { error } = (json ?? {}) as { readonly error?: Partial<ApiError> };
  if (typeof error?.code !== "string" || typeof error.message !== "string") return undefined;
  return { code: error.code, message: error.message, ...(typeof error.hint === "string" ? { hint: error.hint } : {}) };
}
