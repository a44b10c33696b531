import { randomUUID } from "node:crypto";
import { Elysia, ElysiaCustomStatusResponse } from "elysia";
import type { Logger } from "../../src/contracts/logger";
import { AppError } from "../../src/domain/errors";
import { redactUrl } from "../auth/redact-url";
import { allowedMethods, type KnownRoute } from "./allowed-methods";
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
  const withErrors = plugin.onError({ as: "global" }, ({ error, request, path, set }) => {
    // Chosen by the code that threw it, with the answer that it wants.
    if (error instanceof ElysiaCustomStatusResponse) return undefined;
    const appError = toAppError(error, () => methodsAt(plugin.knownRoutes(), path, request.method));
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

/** Elysia tells a plugin the routes of the whole application, but keeps that to its subclasses. */
class PluginWithRoutes extends Elysia {
  knownRoutes(): readonly KnownRoute[] {
    return this.getGlobalRoutes();
  }
}

/** The methods of this path; none when the request's is one of them. */
function methodsAt(routes: readonly KnownRoute[], path: string, method: string): readonly string[] {
  const methods = allowedMethods(routes, path);
  return methods.includes(method) ? [] : methods;
}
