import type { Static, TObject, TSchema } from "@sinclair/typebox";
import type { Principal } from "../domain/principal";

/**
 * Who may call a route: operators; operators and tenants (the handler sees who it is in `caller`, and shows a tenant its own
 * only); or anybody, without a credential.
 */
export type RouteAccess = "operator" | "tenant" | "anybody";

export type RouteRequest<Access extends RouteAccess, Body, Query> = {
  /** Undefined in a route for anybody. */
  readonly caller: Access extends "anybody" ? undefined : Principal;
  /** The path's `:name` parts, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: Body;
  readonly request: Request;
};

export type RouteDefinition<Access extends RouteAccess, Body extends TSchema, Query extends TObject> = {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below `/plugins/<plugin>`: `/numbers/:number`. */
  readonly path: `/${string}`;
  readonly access: Access;
  /** One line for the API's document. */
  readonly summary: string;
  readonly description?: string;
  /** JSON, of 1 MiB at most. Without a schema a body is not read. Not for GET, nor for anybody's routes. */
  readonly body?: Body;
  readonly query?: Query;
  /** The form of an answer with status 200, for the API's document. */
  readonly answer?: TSchema;
  /** Gives what is answered as JSON, with status 200; or a `Response` as it is. */
  handle(request: RouteRequest<Access, Static<Body>, Static<Query>>): unknown;
};

/** A route of a plugin, whatever its forms are. */
export type PluginRoute = RouteDefinition<RouteAccess, TSchema, TObject>;

/**
 * Describes a route of a plugin, below `/plugins/<plugin>`. Who calls is found out, and a body or query that has another form
 * refused, before the handler runs; what it throws is answered 500 and logged.
 *
 * @example
 * defineRoute({
 *   method: "POST",
 *   path: "/numbers",
 *   access: "operator",
 *   summary: "Add a number",
 *   body: Type.Object({ number: Type.String(), host: Type.String() }),
 *   handle({ caller, body }) {
 *     table.set(body.number, body.host);
 *     log.info({ who: caller.id, number: body.number }, "A number was added");
 *     return { numbers: table.size };
 *   },
 * });
 */
export function defineRoute<
  const Access extends RouteAccess,
  Body extends TSchema = TSchema,
  Query extends TObject = TObject,
>(route: RouteDefinition<Access, Body, Query>): PluginRoute {
  return route;
}
