import { afterAll, beforeAll, expect, test } from "bun:test";
import { Elysia } from "elysia";
import { auth } from "../../../plugins/auth";
import { httpErrors } from "../../../plugins/http-errors";
import { sipOff } from "../../../plugins/sip-off";
import { Secret } from "../../../src/domain/secret";
import { silentLog } from "../../support/silent-log";
import { StartedService } from "../../support/started-service";

const OPS = "ops-token-1234567890";
const secrets = [{ id: "ops", secret: new Secret(OPS), role: "operator" as const, hosts: [] }];
const off = new Elysia().use(httpErrors({ log: silentLog })).use(sipOff({ auth: auth({ required: true, secrets }) }));
const routes = off.routes.map(({ method, path }): [string, string] => [method, path]);
const texts = (of: readonly { method: string; path: string }[]) =>
  new Set(of.map(({ method, path }) => `${method} ${path}`));

let on: StartedService;

beforeAll(async () => {
  on = await StartedService.start();
});

afterAll(() => on.end());

async function ask(method: string, path: string, headers: Record<string, string> = {}) {
  const response = await off.handle(new Request(`http://localhost${path}`, { method, headers }));
  return { status: response.status, json: await response.json() };
}

test("with SIP off there are the same addresses as with SIP on", () => {
  const sip = on.service.app.routes.filter(({ path }) => path.startsWith("/sip/"));
  expect(texts(off.routes)).toEqual(texts(sip));
});

test.each(routes)("%s %s is 404 sip_not_configured then, to a known caller", async (method, path) => {
  const headers = { authorization: `Bearer ${OPS}` };
  expect(await ask(method, path, headers)).toMatchObject({
    status: 404,
    json: { error: { code: "sip_not_configured" } },
  });
  const stranger = await ask(method, path);
  expect(stranger.status).toBe(path === "/sip/signing-keys" ? 404 : 401);
});
