// oxlint-disable-next-line triple-slash-reference -- a plugin author's type check does not find the declaration by itself
/// <reference path="./swagger-ui.d.ts" />
import { openapi } from "@elysia/openapi";
import { Elysia } from "elysia";
// As files, so that a compiled binary carries them; an import is what the bundler sees.
import script from "swagger-ui-dist/swagger-ui-bundle.js" with { type: "file" };
import styles from "swagger-ui-dist/swagger-ui.css" with { type: "file" };
import { describeApi } from "./describe-api";
import { plainNumbers } from "./plain-numbers";
import { PAGE, SCRIPT } from "./page";

export type OpenapiDocsOptions = {
  /** The version of the API: that of the package. */
  readonly version: string;
  /** Throws when the request's caller may not be let in; without it the documentation is open to everybody. */
  readonly authenticate?: (request: Request) => unknown;
};

/** What the page loads of Swagger UI: all that it needs, so that it works without any other server. */
const ASSETS = [
  { file: "swagger-ui-bundle.js", path: script, type: "text/javascript; charset=utf-8" },
  { file: "swagger-ui.css", path: styles, type: "text/css; charset=utf-8" },
] as const;

/** Nothing but this server, so that neither a dependency nor a description can call home. Swagger UI's icons are `data:`. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const HEADERS = { "x-content-type-options": "nosniff", "referrer-policy": "no-referrer" };

/**
 * `GET /openapi/json`: the OpenAPI document of the application, made of the schemas of its routes. `GET /openapi`: the same
 * for people, who are let in by `?api_key=<token>`: the page hands it on to the document. What it loads of Swagger UI says
 * nothing, and is open. A route with `detail: {hide: true}` is not in it.
 */
export function openapiDocs({ version, authenticate }: OpenapiDocsOptions) {
  const plugin = new Elysia({ name: "sayna-sip/openapi-docs" }).get(
    "/openapi/page.js",
    () => serve(SCRIPT, "text/javascript; charset=utf-8"),
    { detail: { hide: true } },
  );
  for (const { file, path, type } of ASSETS) {
    plugin.get(`/openapi/${file}`, () => serve(Bun.file(path), type, { "cache-control": "public, max-age=3600" }), {
      detail: { hide: true },
    });
  }
  return (
    plugin
      // Holds for what comes behind it.
      .onBeforeHandle(({ request }) => {
        authenticate?.(request);
      })
      .onAfterHandle(({ responseValue }) => (isDocument(responseValue) ? plainNumbers(responseValue) : undefined))
      // Its own page loads from a CDN and runs an inline script: only its document is used.
      .use(openapi({ path: "/openapi", provider: null, documentation: describeApi(version) }))
      .get(
        "/openapi",
        () => serve(PAGE, "text/html; charset=utf-8", { "content-security-policy": CONTENT_SECURITY_POLICY }),
        { detail: { hide: true } },
      )
  );
}

const isDocument = (answer: unknown): boolean =>
  typeof answer === "object" && answer !== null && "openapi" in answer && "paths" in answer;

function serve(body: string | Blob, type: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(body, { headers: { "content-type": type, ...HEADERS, ...headers } });
}
