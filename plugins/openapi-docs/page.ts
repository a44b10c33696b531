/** The page of the API's documentation. Its addresses are those of `openapiDocs`. */
export const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>sayna-sip API</title>
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href="/openapi/swagger-ui.css" />
  </head>
  <body>
    <div id="swagger-ui"></div>
    <noscript>The document is at <a href="/openapi/json">/openapi/json</a>.</noscript>
    <script src="/openapi/swagger-ui-bundle.js"></script>
    <script src="/openapi/page.js"></script>
  </body>
</html>
`;

/**
 * The token of the page's own address is handed on, and filled in where Swagger UI sends one. Not inline, because the page's policy allows no inline script.
 * `validatorUrl`: Swagger UI's own is another server.
 */
export const SCRIPT = `const token = new URLSearchParams(location.search).get("api_key");
const ui = SwaggerUIBundle({
  url: "/openapi/json" + (token === null ? "" : "?api_key=" + encodeURIComponent(token)),
  onComplete: () => token === null || ui.preauthorizeApiKey("bearer", token),
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
});
`;
