import { randomUUID } from "node:crypto";
import { Elysia, ElysiaCustomStatusResponse } from "elysia";
import type { Logger } from "../../src/contracts/logger";
import { AppError } from "../../src/domain/errors";
import { redactUrl } from "../auth/redact-url";
import { allowedMethods, routesAt, type KnownRoute } from "./allowed-methods";
import { findNumbers } from "./find-numbers";
import { REQUEST_ID_HEADER, requestIdOf } from "./request-id";
import { toAppError } from "./to-app-error";

export type HttpErrorsOptions = {
  readonly log: Logger;
  /** Makes the id by which an answer is found in the log. */
  readonly newRequestId?: () => string;
};

/**
 * Turns whatever is thrown into `{"error": {"code", "message", "hint", …}}`: an `AppError` as it is, Elysia's own errors
 * as one of ours, and anything else as `internal`, whose details are in the log only, under the `request_id` of the answer.
 * Every one of them has such an id: the request's own `x-request-id`, or a new one.
 *
 * It covers the routes of the plugins that are used after it, and those of the application itself.
 *
 * @example
 * new Elysia().use(httpErrors({ log })).use(hooksStore(options));
 */
export function httpErrors({ log, newRequestId = randomUUID }: HttpErrorsOptions) {
  const plugin = new PluginWithRoutes({ name: "sayna-sip/http-errors" });
  const withErrors = plugin.onError({ as: "global" }, ({ error, request, path, params, query, set }) => {
    // Chosen by the code that threw it, with the answer that it wants.
    if (error instanceof ElysiaCustomStatusResponse) return undefined;
    const appError = toAppError(error, {
      methods: () => methodsAt(plugin.knownRoutes(), path, request.method),
      wrongNumbers: () => {
        const [route] = routesAt(plugin.knownRoutes(), path, request.method);
        return findNumbers([
          { name: "params", schema: route?.hooks.params, values: params },
          { name: "query", schema: route?.hooks.query, values: query },
        ]);
      },
    });
    const requestId = requestIdOf(request, newRequestId);
    report(appError, request, requestId);
    const { error: body } = appError.toBody();
    set.status = appError.status;
    return Response.json(
      { error: { ...body, request_id: requestId } },
      { status: appError.status, headers: { ...appError.headers, [REQUEST_ID_HEADER]: requestId } },
    );
  });

  /** Logs what the operator should see. */
  function report(error: AppError, request: Request, requestId: string): void {
    if (error.cause === undefined && error.code !== "internal") return;
    const fields = {
      request_id: requestId,
      method: request.method,
      url: redactUrl(request.url),
      code: error.code,
      err: error.cause ?? error,
    };
    if (error.status < 500) {
      log.debug(fields, "Request refused");
      return;
    }
    log.error(fields, "Request failed");
  }

  return withErrors;
}

/** With the schemas of its path and its query. */
type RouteWithSchemas = KnownRoute & { readonly hooks: { readonly params?: unknown; readonly query?: unknown } };

/** Elysia tells a plugin the routes of the whole application, but keeps that to its subclasses. */
class PluginWithRoutes extends Elysia {
  knownRoutes(): readonly RouteWithSchemas[] {
    return this.getGlobalRoutes();
  }
}

/** The methods of this path; none when the request's is one of them. */
function methodsAt(routes: readonly KnownRoute[], path: string, method: string): readonly string[] {
  const methods = allowedMethods(routes, path);
  return methods.includes(method) ? [] : methods;
}
