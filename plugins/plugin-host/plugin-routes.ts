import { Elysia, t } from "elysia";
import type { PluginRoute } from "../../src/contracts/plugin-route";
import { AppError } from "../../src/domain/errors";
import type { Principal } from "../../src/domain/principal";
import type { AuthPlugin } from "../auth";
import { errorResponses } from "../http-errors";
import { PluginStartError, type CreatedPlugin } from "./create-plugins";

export type PluginRoutesOptions = { readonly auth: AuthPlugin; readonly plugins: readonly CreatedPlugin[] };

/** Segments of visible characters, `:name` for one that is handed to the handler. */
const PATH = /^(\/(:?[A-Za-z0-9_.~-]+))+$/;

/** The routes of plugins, each below `/plugins/<name>`, and there the metrics of those that have some. */
export function pluginRoutes({ auth, plugins }: PluginRoutesOptions) {
  const app = new Elysia({ name: "sayna-sip/plugins", tags: ["plugins"] }).use(auth);
  for (const plugin of plugins) {
    for (const route of plugin.routes) addRoute(app, plugin.name, route);
    if (plugin.metrics.getMetricsAsArray().length > 0) addMetrics(app, plugin);
  }
  return app;
}

const ANY_ERRORS = ["invalid_request", "payload_too_large", "internal"] as const;

type App = ReturnType<typeof empty>;
const empty = (auth: AuthPlugin) => new Elysia({ name: "sayna-sip/plugins", tags: ["plugins"] }).use(auth);

type Context = {
  readonly caller?: Principal;
  readonly params?: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: unknown;
  readonly request: Request;
};

function addRoute(app: App, plugin: string, route: PluginRoute): void {
  const { method, path, access, summary, description, body, query, answer } = route;
  const problem = problemOf(route);
  if (problem !== undefined)
    throw new PluginStartError(plugin, new TypeError(`its route ${method} ${path} ${problem}`));
  const known = access !== "anybody";
  app.route(
    method,
    `/plugins/${plugin}${path}`,
    async ({ caller, params, query: asked, body: sent, request }: Context) => {
      if (access === "operator" && caller?.role !== "operator") throw new AppError("forbidden");
      const result: unknown = await route.handle({ caller, params: params ?? {}, query: asked, body: sent, request });
      return result instanceof Response ? result : Response.json(result ?? null);
    },
    {
      ...(known ? { caller: true } : { parse: "none" as const }),
      ...(body === undefined ? {} : { body }),
      ...(query === undefined ? {} : { query }),
      response: {
        200: answer ?? t.Any(),
        ...errorResponses(known ? [...ANY_ERRORS, "unauthorized", "forbidden"] : ANY_ERRORS),
      },
      detail: {
        summary,
        tags: ["plugins"],
        ...(description === undefined ? {} : { description }),
        ...(known ? {} : { security: [] }),
      },
    },
  );
}

function problemOf(route: PluginRoute): string | undefined {
  const { method, path, access, body } = route;
  if (!["GET", "POST", "PUT", "DELETE"].includes(method)) return "has another method than GET, POST, PUT or DELETE";
  if (!PATH.test(path)) return "has no path like /numbers/:number";
  if (path === "/metrics") return "is where its metrics are";
  // Fails closed because nobody could tell whether everybody is meant.
  if (!["operator", "tenant", "anybody"].includes(access))
    return "does not say whose it is: access is operator, tenant or anybody";
  if (typeof route.handle !== "function") return "has no handle";
  if (body === undefined) return undefined;
  if (method === "GET") return "has a body, which GET has not";
  return access === "anybody"
    ? "takes a body from anybody: read it from the request, and check who sent it"
    : undefined;
}

function addMetrics(app: App, { name, metrics }: CreatedPlugin): void {
  app.get(
    `/plugins/${name}/metrics`,
    async ({ caller }) => {
      if (caller.role !== "operator") throw new AppError("forbidden");
      return new Response(await metrics.metrics(), { headers: { "content-type": metrics.contentType } });
    },
    {
      caller: true,
      response: { 200: t.Any(), ...errorResponses(["unauthorized", "forbidden"]) },
      detail: { summary: `What ${name} counts and measures`, description: "In Prometheus's text format." },
    },
  );
}
