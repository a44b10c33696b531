import { describe, expect, test } from "bun:test";
import { Elysia } from "elysia";
import { Registry } from "prom-client";
import { auth } from "../../../plugins/auth";
import { httpErrors } from "../../../plugins/http-errors";
import { openapiDocs } from "../../../plugins/openapi-docs";
import { pluginRoutes } from "../../../plugins/plugin-host";
import { createMetrics } from "../../../plugins/plugin-host/create-metrics";
import type { PluginRoute } from "../../../src/contracts/plugin-route";
import { Secret } from "../../../src/domain/secret";
import { defineRoute, Type } from "../../../src";
import { recordingLog } from "../../support/recording-log";
import { pattern } from "../../support/webhooks";

const OPS = "ops-token-1234567890";
const TENANT = "tenant-a-token-1234567890";

function start(...routes: PluginRoute[]) {
  const log = recordingLog();
  const secrets = [
    { id: "ops", secret: new Secret(OPS), role: "operator", hosts: [] } as const,
    { id: "tenant-a", secret: new Secret(TENANT), role: "tenant", hosts: [pattern("a.example.com")] } as const,
  ];
  const authPlugin = auth({ required: true, secrets });
  const metrics = new Registry();
  createMetrics("table", metrics).counter({ name: "asked_total", help: "Questions." }).add();
  const app = new Elysia({ normalize: false })
    .use(httpErrors({ log }))
    .use(openapiDocs({ version: "1" }))
    .use(pluginRoutes({ auth: authPlugin, plugins: [{ name: "table", routes, metrics }] }));
  const request = async (method: string, path: string, token?: string, body?: unknown) => {
    const headers: Record<string, string> = {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    };
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const answer = await app.handle(new Request(`http://localhost/plugins/table${path}`, init));
    return { status: answer.status, text: await answer.text(), type: answer.headers.get("content-type") };
  };
  return { request, app, log };
}

const read = (access: "operator" | "tenant" | "anybody") =>
  defineRoute({
    method: "GET",
    path: `/${access}`,
    access,
    summary: "Reads",
    handle: ({ caller }) => ({ who: caller?.id }),
  });

describe("a route is reached", () => {
  test.each([
    ["operator", { nobody: 401, tenant: 403, operator: 200 }],
    ["tenant", { nobody: 401, tenant: 200, operator: 200 }],
    ["anybody", { nobody: 200, tenant: 200, operator: 200 }],
  ] as const)("by those that its access names: %s", async (access, expected) => {
    const { request } = start(read(access));
    const statusOf = async (token?: string) => (await request("GET", `/${access}`, token)).status;
    expect({ nobody: await statusOf(), tenant: await statusOf(TENANT), operator: await statusOf(OPS) }).toEqual(
      expected,
    );
  });

  test("with who calls, its parameters, its query and its body, each as its schema says", async () => {
    const { request } = start(
      defineRoute({
        method: "POST",
        path: "/numbers/:number",
        access: "tenant",
        summary: "Adds",
        body: Type.Object({ host: Type.String() }, { additionalProperties: false }),
        query: Type.Object({ dry: Type.Optional(Type.String()) }),
        handle: ({ caller, params, query, body }) => ({
          who: caller.id,
          number: params.number,
          dry: query.dry,
          host: body.host,
        }),
      }),
    );
    const answer = await request("POST", "/numbers/%2B1555?dry=yes", TENANT, { host: "a.example.com" });
    expect(JSON.parse(answer.text)).toEqual({ who: "tenant-a", number: "+1555", dry: "yes", host: "a.example.com" });
    expect(await request("POST", "/numbers/1", TENANT, { hots: "x" })).toMatchObject({ status: 400 });
    // A stranger learns nothing of the form.
    expect(await request("POST", "/numbers/1", undefined, { hots: "x" })).toMatchObject({ status: 401 });
  });

  test("and its own answer goes out as it is, nothing as null", async () => {
    const { request } = start(
      defineRoute({
        method: "GET",
        path: "/own",
        access: "anybody",
        summary: "Own",
        handle: () => new Response("teapot", { status: 418 }),
      }),
      defineRoute({ method: "DELETE", path: "/none", access: "operator", summary: "None", handle: () => {} }),
    );
    expect(await request("GET", "/own")).toMatchObject({ status: 418, text: "teapot" });
    expect(await request("DELETE", "/none", OPS)).toMatchObject({ status: 200, text: "null" });
  });

  test("what its handler throws is a 500 whose cause is in the log only", async () => {
    const { request, log } = start(
      defineRoute({
        method: "GET",
        path: "/broken",
        access: "operator",
        summary: "Broken",
        handle: () => {
          throw new Error("table.csv is gone");
        },
      }),
    );
    const answer = await request("GET", "/broken", OPS);
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain("table.csv");
    expect(log.text()).toContain("table.csv is gone");
  });
});

test("its metrics are for operators, in Prometheus's text format", async () => {
  const { request } = start();
  expect(await request("GET", "/metrics", OPS)).toMatchObject({
    status: 200,
    type: "text/plain; version=0.0.4; charset=utf-8",
    text: expect.stringContaining("sayna_sip_plugin_table_asked_total 1"),
  });
  expect(await request("GET", "/metrics", TENANT)).toMatchObject({ status: 403 });
  expect(await request("GET", "/metrics")).toMatchObject({ status: 401 });
});

test("its routes are in the API's document", async () => {
  const { app } = start(read("operator"), read("anybody"));
  const document = (await (await app.handle(new Request("http://localhost/openapi/json"))).json()) as {
    paths: Record<string, { get: { summary: string; security?: unknown; tags: string[] } }>;
  };
  expect(document.paths["/plugins/table/operator"]?.get).toMatchObject({ summary: "Reads", tags: ["plugins"] });
  expect(document.paths["/plugins/table/operator"]?.get.security).toBeUndefined();
  expect(document.paths["/plugins/table/anybody"]?.get.security).toEqual([]);
});

test.each([
  ["no access", { access: undefined }, "does not say whose it is"],
  ["a misspelt access", { access: "Operator" }, "does not say whose it is"],
  ["a path without a slash", { path: "numbers" }, "has no path like /numbers/:number"],
  ["a path that leaves its place", { path: "/../sip/hooks?" }, "has no path like"],
  ["the address of the metrics", { path: "/metrics" }, "is where its metrics are"],
  ["a body in GET", { body: Type.Object({}) }, "has a body, which GET has not"],
  ["a body from anybody", { method: "POST", access: "anybody", body: Type.Object({}) }, "takes a body from anybody"],
  ["another method", { method: "TRACE" }, "has another method"],
  ["no handler", { handle: undefined }, "has no handle"],
])("a route with %s ends the start", (_, members, message) => {
  expect(() => start({ ...read("operator"), ...members } as never)).toThrow(message);
});
