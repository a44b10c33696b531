import type { ElysiaOpenAPIConfig } from "@elysia/openapi";

/** What the document says beside the routes. */
export function describeApi(version: string): NonNullable<ElysiaOpenAPIConfig["documentation"]> {
  return {
    info: {
      title: "sayna-sip",
      version,
      description:
        "The SIP side of a LiveKit deployment that many tenants share. LiveKit's webhooks come in, and go on to the " +
        "HTTPS hook of the tenant whose SIP host was called.",
    },
    tags: [
      { name: "hooks", description: "The forwarding table: which host's calls go to which HTTPS hook." },
      { name: "livekit", description: "Where LiveKit sends its webhooks." },
      { name: "history", description: "What happened to calls and deliveries; sending again, cancelling, explaining." },
      { name: "plugins", description: "What the plugins of this installation bring." },
      { name: "operation", description: "For who runs the service." },
      { name: "health", description: "For load balancers and supervisors." },
    ],
    components: {
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "`Authorization: Bearer <token>`, an API secret." },
        api_key: { type: "apiKey", in: "query", name: "api_key", description: "The same token as `?api_key=<token>`." },
      },
    },
    // Either of them, for every route that does not say `security: []`.
    security: [{ bearer: [] }, { api_key: [] }],
  };
}
