import { bearer } from "@elysiajs/bearer";
import { Elysia } from "elysia";
import { fixed, type Current } from "../../src/contracts/current";
import type { Logger } from "../../src/contracts/logger";
import type { Principal } from "../../src/domain/principal";
import { REQUEST_ID_HEADER, requestIdOf } from "../http-errors/request-id";
import { createCurrentAuthenticator, type AuthOptions } from "./authenticate";
import { readJson } from "./read-json";

export { createAuthenticator, createCurrentAuthenticator } from "./authenticate";
export type { ApiSecret, AuthOptions } from "./authenticate";
export { redactUrl } from "./redact-url";

export type AuthPlugin = ReturnType<typeof auth>;

type Headers = Record<string, string | number>;
type Context = {
  readonly set: { readonly headers: Headers };
  readonly request: Request;
  readonly bearer?: string | undefined;
  body: unknown;
};

/**
 * Authentication of the API: `Authorization: Bearer <token>` or `?api_key=<token>`. A route that says `caller: true` is
 * reached by known callers only, finds out in `caller` who it is, and takes its body, if it has a schema for one, as
 * `application/json` of 4 MiB at most. An unknown caller is told 401 before anything of the request is read or judged.
 *
 * @example
 * new Elysia().use(auth({ required: true, secrets })).get("/me", ({ caller }) => caller.id, { caller: true });
 *
 * @param options that may change while it runs are given as a function; another object is another set of them.
 * @param log is told who changed something, each time.
 * @throws when two secrets are the same, one is empty, or authentication is required and there is none.
 */
export function auth(options: AuthOptions | Current<AuthOptions>, log?: Pick<Logger, "info">) {
  const authenticate = createCurrentAuthenticator(typeof options === "function" ? options : fixed(options));
  const callers = new WeakMap<Request, Principal>();

  /** Before it is done: what the change itself logs comes after it, and nothing is done of which it is not known who asked. */
  function report(caller: Principal, { method, url }: Request, requestId: string): void {
    if (method === "GET" || method === "HEAD") return;
    const { pathname } = new URL(url);
    log?.info({ request_id: requestId, who: caller.id, role: caller.role, method, path: pathname }, "API request");
  }

  function callerOf({ request, bearer: token }: Pick<Context, "request" | "bearer">): Principal {
    const caller = callers.get(request) ?? authenticate(request, token);
    callers.set(request, caller);
    return caller;
  }

  return new Elysia({ name: "sayna-sip/auth" })
    .use(bearer({ extract: { header: "Bearer", query: "api_key", body: "api_key" } }))
    .macro({
      caller: {
        /**
         * Elysia parses a body before `bearer` has its token, and would tell a stranger 400 before 401: in these routes
         * its parser is passed by, and the body read behind the check. It is still validated by the route's schema, and
         * the document still says that it is JSON.
         */
        introspect(route: { body?: unknown; parse?: unknown; transform?: unknown }) {
          const hasBody = route.body !== undefined;
          route.parse = hasBody ? [passByParser, "json"] : "none";
          route.transform = [
            (context: Context) => {
              const requestId = requestIdOf(context.request);
              context.set.headers[REQUEST_ID_HEADER] = requestId;
              report(callerOf(context), context.request, requestId);
            },
            ...(hasBody ? [takeJson] : []),
            ...(route.transform === undefined ? [] : [route.transform].flat()),
          ];
        },
        resolve: (context) => ({ caller: callerOf(context) }),
      },
    });
}

/** Elysia asks its next parser, "json", only when this one gives undefined. */
const passByParser = () => null;

async function takeJson(context: Context): Promise<void> {
  context.body = await readJson(context.request);
}
