import { describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Elysia, t } from "elysia";
import { Secret } from "../../../src/domain/secret";
import { auth } from "../../../plugins/auth";
import { errorResponses, httpErrors } from "../../../plugins/http-errors";
import { openapiDocs } from "../../../plugins/openapi-docs";
import { silentLog } from "../../support/silent-log";

const Item = t.Object(
  {
    host: t.String({ examples: ["tenant-a.example.com"] }),
    count: Type.Integer({ minimum: 0 }),
    state: t.UnionEnum(["active", "paused"]),
    source: t.Optional(t.Union([t.Literal("config"), t.Literal("runtime")])),
    note: t.Optional(t.Union([t.String(), t.Null()])),
  },
  { additionalProperties: false },
);

/** An application with one of each thing that ours has. */
function createApp() {
  const items = new Elysia({ name: "items", tags: ["hooks"] })
    .use(auth({ required: true, secrets: [{ id: "ops", secret: new Secret("s3cret"), role: "operator", hosts: [] }] }))
    .get("/items", () => [], { caller: true, response: { 200: t.Array(Item), ...errorResponses(["unauthorized"]) } })
    .post("/items", ({ body }) => body, {
      caller: true,
      body: Item,
      response: { 200: Item, ...errorResponses(["invalid_request", "invalid_host", "unauthorized", "internal"]) },
      detail: { summary: "Add an item" },
    })
    .get("/items/:id", ({ params }) => ({ count: 1, note: params.id }), {
      params: t.Object({ id: t.String() }),
      query: t.Object({
        limit: t.Optional(t.Integer({ minimum: 1, maximum: 500, description: "How many." })),
        share: t.Optional(t.Numeric()),
        all: t.Optional(t.BooleanString()),
      }),
      response: { 200: t.Object({ count: t.Integer({ minimum: 0 }), note: t.Union([t.String(), t.Integer()]) }) },
    })
    .delete("/items/:id", () => "")
    .options("/items", () => "")
    .get("/hidden", () => "", { detail: { hide: true } });
  return new Elysia({ normalize: false })
    .use(httpErrors({ log: silentLog }))
    .use(openapiDocs({ version: "1.2.3" }))
    .use(items)
    .get("/health", () => ({ status: "live" as const }), {
      response: { 200: t.Object({ status: t.Literal("live") }) },
      detail: { security: [], tags: ["health"] },
    });
}

const get = (path: string, app = createApp()) => app.handle(new Request(`http://localhost${path}`));

describe("the document", () => {
  const read = async () => JSON.parse(await (await get("/openapi/json")).text());

  test("is valid, and its title and version are ours", async () => {
    const document = await read();
    expect(await new Validator().validate(document)).toEqual({ valid: true });
    expect(document.openapi).toStartWith("3.1.");
    expect(document.info).toMatchObject({ title: "sayna-sip", version: "1.2.3" });
  });

  test("has the routes, but not its own, nor hidden ones", async () => {
    const { paths } = await read();
    const routes = Object.entries<object>(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(routes.toSorted()).toEqual([
      "delete /items/{id}",
      "get /health",
      "get /items",
      "get /items/{id}",
      "post /items",
    ]);
  });

  test("offers the bearer token and the query parameter, where a route does not say that it needs none", async () => {
    const { components, security, paths } = await read();
    expect(components.securitySchemes).toMatchObject({
      bearer: { type: "http", scheme: "bearer" },
      api_key: { type: "apiKey", in: "query", name: "api_key" },
    });
    expect(security).toEqual([{ bearer: [] }, { api_key: [] }]);
    expect(paths["/items"].get.security).toBeUndefined();
    expect(paths["/health"].get.security).toEqual([]);
  });

  test("says that a known caller's body is JSON, and nothing else", async () => {
    const { paths } = await read();
    const { content } = paths["/items"].post.requestBody;
    expect(Object.keys(content)).toEqual(["application/json"]);
    expect(content["application/json"].schema).toMatchObject({ additionalProperties: false });
  });

  test("writes a choice of words as an enum", async () => {
    const { paths } = await read();
    const { properties } = paths["/items"].post.requestBody.content["application/json"].schema;
    expect(properties).toMatchObject({
      state: { enum: ["active", "paused"] },
      source: { enum: ["config", "runtime"] },
    });
  });

  test("writes a number as a number, also where Elysia takes its text as well", async () => {
    const { paths } = await read();
    const { parameters, responses } = paths["/items/{id}"].get;
    const schemas = parameters.map(({ name, schema }: { name: string; schema: object }) => [name, schema]);
    expect(Object.fromEntries(schemas)).toMatchObject({
      limit: { type: "integer", minimum: 1, maximum: 500, description: "How many." },
      share: { type: "number" },
      all: { type: "boolean" },
    });
    const { properties } = responses["200"].content["application/json"].schema;
    expect(properties.count).toEqual({ type: "integer", minimum: 0 });
    expect(properties.note).toEqual({ anyOf: [{ type: "string" }, { type: "integer" }] });
    expect(JSON.stringify(paths)).not.toMatch(/"format":"(integer|numeric|boolean)"/);
  });

  test("describes each error with its code and an example", async () => {
    const { paths } = await read();
    const { responses } = paths["/items"].post;
    expect(Object.keys(responses)).toEqual(["200", "400", "401", "500"]);
    const { schema } = responses["400"].content["application/json"];
    expect(responses["400"].description).toMatch(/`invalid_request`: .*`invalid_host`: /);
    expect(schema.properties.error.properties.code.enum).toEqual(["invalid_request", "invalid_host"]);
    expect(schema.examples.map((example: { error: { code: string } }) => example.error.code)).toEqual([
      "invalid_request",
      "invalid_host",
    ]);
  });

  test("names the tags it uses", async () => {
    const { tags, paths } = await read();
    const names = tags.map(({ name }: { name: string }) => name);
    expect(names).toContain(paths["/items"].get.tags[0]);
    expect(names).toContain(paths["/health"].get.tags[0]);
  });
});

describe("the page", () => {
  test("loads nothing but what this server answers", async () => {
    const app = createApp();
    const page = await get("/openapi", app);
    expect(page.headers.get("content-type")).toStartWith("text/html");
    const html = await page.text();
    const addresses = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].flatMap(([, address = ""]) => address);
    expect(addresses.length).toBeGreaterThan(3);
    for (const address of addresses) {
      expect(address).toMatch(/^(?:\/openapi\/|data:,$)/);
      if (!address.startsWith("data:")) expect((await get(address, app)).status).toBe(200);
    }
    const script = await (await get("/openapi/page.js", app)).text();
    expect(script).toContain('url: "/openapi/json"');
    expect(html + script).not.toMatch(/https?:|\/\/\w/);
  });

  test("allows nothing from another server, and no inline script", async () => {
    const policy = (await get("/openapi")).headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/https?:|\*|unsafe/);
    const html = await (await get("/openapi")).text();
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\bon\w+=|\bstyle=/);
  });

  test.each([
    ["/openapi/swagger-ui-bundle.js", "text/javascript", 1_000_000],
    ["/openapi/swagger-ui.css", "text/css", 100_000],
    ["/openapi/page.js", "text/javascript", 50],
  ])("%s is what it says", async (path, type, atLeast) => {
    const response = await get(path);
    expect(response.headers.get("content-type")).toStartWith(type);
    expect((await response.text()).length).toBeGreaterThan(atLeast);
  });

  test.each(["/openapi/swagger-ui.js", "/openapi/../package.json", "/openapi/package.json"])(
    "nothing else of the package is served: %s",
    async (path) => {
      expect((await get(path)).status).toBe(404);
    },
  );
});
