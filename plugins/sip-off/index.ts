import { Elysia } from "elysia";
import { AppError } from "../../src/domain/errors";
import type { AuthPlugin } from "../auth";
import { errorResponses } from "../http-errors";

/** Every address that exists only when SIP is configured, by its tag in the document. */
const ROUTES = {
  hooks: [
    ["GET", "/sip/hooks"],
    ["POST", "/sip/hooks"],
    ["DELETE", "/sip/hooks"],
    ["POST", "/sip/hooks/pause"],
    ["POST", "/sip/hooks/resume"],
    ["POST", "/sip/hooks/test"],
    ["GET", "/sip/hooks/versions"],
    ["GET", "/sip/hooks/versions/:a/compare/:b"],
    ["POST", "/sip/hooks/rollback"],
  ],
  history: [
    ["GET", "/sip/deliveries"],
    ["GET", "/sip/deliveries/:id"],
    ["POST", "/sip/deliveries/cancel"],
    ["GET", "/sip/unmatched"],
    ["GET", "/sip/calls"],
    ["GET", "/sip/calls/:room_sid"],
    ["POST", "/sip/replay"],
    ["POST", "/sip/explain"],
  ],
} as const;

const SUMMARY = "SIP is not configured on this server";

/** The addresses of the plugins that need SIP, when it is off: each says so, to a known caller. */
export function sipOff({ auth }: { readonly auth: AuthPlugin }) {
  const app = new Elysia({ name: "sayna-sip/sip-off" }).use(auth);
  for (const [tag, routes] of Object.entries(ROUTES)) {
    for (const [method, path] of routes) {
      app.route(method, path, refuse, {
        caller: true,
        response: errorResponses(["unauthorized", "sip_not_configured"]),
        detail: { summary: SUMMARY, tags: [tag] },
      });
    }
  }
  // Anybody may ask for it, as when SIP is on.
  return app.get("/sip/signing-keys", refuse, {
    response: errorResponses(["sip_not_configured"]),
    detail: { summary: SUMMARY, tags: ["signatures"], security: [] },
  });
}

function refuse(): never {
  throw new AppError("sip_not_configured");
}
