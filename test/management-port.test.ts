import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { runInNewContext } from "node:vm";
import type { SaynaSip } from "../src/app";
import { OPS, StartedService, A } from "./support/started-service";

let one: StartedService;
let two: StartedService;

beforeAll(async () => {
  one = await StartedService.start();
  two = await StartedService.start({ MANAGEMENT_PORT: "0" });
});
afterAll(async () => {
  await one.end();
  await two.end();
});

async function statusOf(app: SaynaSip["app"] | undefined, method: string, path: string, token?: string) {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await app?.handle(new Request(`http://localhost${path}`, { method, headers }));
  return response?.status;
}

/** Routes, what an operator gets there, and what a stranger gets. */
const MANAGEMENT = [
  ["GET", "/metrics", 200, 401],
  ["GET", "/openapi", 200, 401],
  ["GET", "/openapi/json", 200, 401],
  ["GET", "/openapi/page.js", 200, 200],
  ["GET", "/openapi/swagger-ui.css", 200, 200],
  ["GET", "/sip/hooks", 200, 401],
  ["POST", "/sip/hooks", 400, 401],
  ["DELETE", "/sip/hooks", 400, 401],
  ["GET", "/sip/calls", 200, 401],
  ["GET", "/sip/deliveries", 200, 401],
  ["GET", "/sip/unmatched", 200, 401],
  ["POST", "/sip/explain", 400, 401],
  ["POST", "/sip/replay", 400, 401],
] as const;

describe("with one port", () => {
  test.each(MANAGEMENT)(
    "%s %s is there: %d for an operator, %d for a stranger",
    async (method, path, known, stranger) => {
      expect(one.service.management).toBeUndefined();
      expect(await statusOf(one.service.app, method, path, OPS)).toBe(known);
      expect(await statusOf(one.service.app, method, path)).toBe(stranger);
    },
  );
});

describe("with server.management", () => {
  test.each(MANAGEMENT)("%s %s is on the second port only", async (method, path, known, stranger) => {
    expect(await statusOf(two.service.app, method, path, OPS)).toBe(404);
    expect(await statusOf(two.service.management, method, path, OPS)).toBe(known);
    expect(await statusOf(two.service.management, method, path)).toBe(stranger);
  });

  test("no route that an operator is shown is left out of this table's places", async () => {
    const { service } = two;
    const response = await service.management?.handle(
      new Request("http://localhost/openapi/json", { headers: { authorization: `Bearer ${OPS}` } }),
    );
    const { paths } = JSON.parse((await response?.text()) ?? "") as { paths: Record<string, Record<string, unknown>> };
    expect(Object.keys(paths).length).toBeGreaterThan(10);
    for (const [path, methods] of Object.entries(paths)) {
      for (const method of Object.keys(methods)) {
        const status = await statusOf(service.app, method.toUpperCase(), path.replaceAll(/\{\w+\}/g, "1"), OPS);
        expect([path, method, status]).toEqual([path, method, path.startsWith("/health/") ? 200 : 404]);
      }
    }
  });

  test("the webhooks are on the first port only, and what they bring is seen on the second", async () => {
    await two.call("RM_1", "one.a.example.com");
    expect(await statusOf(two.service.management, "POST", "/livekit/webhook", OPS)).toBe(404);
    const response = await two.service.management?.handle(
      new Request("http://localhost/metrics", { headers: { authorization: `Bearer ${OPS}` } }),
    );
    expect(await response?.text()).toContain('sayna_sip_webhooks_total{result="kept"} 4\n');
  });

  test.each(["/health/live", "/health/ready"])("%s is on both", async (path) => {
    expect(await statusOf(two.service.app, "GET", path)).toBe(200);
    expect(await statusOf(two.service.management, "GET", path)).toBe(200);
  });
});

describe("the documentation, when authentication is required", () => {
  test("is for every known caller, a tenant too, whose API it is; the metrics are the operators'", async () => {
    expect(await statusOf(one.service.app, "GET", "/openapi/json", A)).toBe(200);
    expect(await statusOf(one.service.app, "GET", "/metrics", A)).toBe(403);
  });

  test("is reached by a browser with ?api_key, and its page hands the token on", async () => {
    expect(await statusOf(one.service.app, "GET", `/openapi?api_key=${OPS}`)).toBe(200);
    expect(await statusOf(one.service.app, "GET", `/openapi/json?api_key=${OPS}`)).toBe(200);
    expect(await statusOf(one.service.app, "GET", "/openapi/json?api_key=wrong")).toBe(401);
    const script = await (await one.service.app.handle(new Request("http://localhost/openapi/page.js"))).text();
    const asked: string[] = [];
    const SwaggerUIBundle = ({ url }: { url: string }) => asked.push(url);
    for (const search of [`?api_key=${OPS}`, ""]) {
      runInNewContext(script, { location: { search }, SwaggerUIBundle, URLSearchParams, encodeURIComponent });
    }
    expect(asked).toEqual([`/openapi/json?api_key=${OPS}`, "/openapi/json"]);
  });
});
