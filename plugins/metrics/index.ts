import { Elysia, t } from "elysia";
import { AppError } from "../../src/domain/errors";
import type { AuthPlugin } from "../auth";
import { errorResponses } from "../http-errors";
import { createExposition, type ExpositionOptions } from "./create-exposition";

export type { MetricSources } from "./snapshot";

export type MetricsOptions = ExpositionOptions & { readonly auth: AuthPlugin };

const EXAMPLE = "# HELP sayna_sip_breakers_open …\n# TYPE sayna_sip_breakers_open gauge\nsayna_sip_breakers_open 0\n";

/** `GET /metrics`: how the service does, in Prometheus's text format, for operators. */
export function metrics({ auth, ...options }: MetricsOptions) {
  const expose = createExposition(options);
  return new Elysia({ name: "sayna-sip/metrics", tags: ["operation"] }).use(auth).get(
    "/metrics",
    async ({ caller }) => {
      if (caller.role !== "operator") throw new AppError("forbidden");
      const { contentType, text } = await expose();
      return new Response(text, { headers: { "content-type": contentType, "cache-control": "no-store" } });
    },
    {
      caller: true,
      response: {
        200: t.String({ description: "Prometheus's text format, version 0.0.4.", examples: [EXAMPLE] }),
        ...errorResponses(["unauthorized", "forbidden"]),
      },
      detail: {
        summary: "What the service counts and measures",
        description:
          "Operators only. For Prometheus, whose `authorization` (or `params: {api_key: [...]}`) carries an operator's token when " +
          "authentication is required. No label is a host, a hook, a tenant or a room.",
      },
    },
  );
}
