import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Elysia } from "elysia";
import { auth } from "../../../plugins/auth";
import { explainOff } from "../../../plugins/explain";
import { historyOff } from "../../../plugins/history";
import { hooksStoreOff } from "../../../plugins/hooks-store";
import { httpErrors } from "../../../plugins/http-errors";
import { silentLog } from "../../support/silent-log";
import { StartedService } from "../../support/started-service";

let it: StartedService;

beforeAll(async () => {
  it = await StartedService.start();
});

afterAll(() => it.end());

describe("every route", () => {
  const ROUTES = [
    ["GET", "/sip/deliveries"],
    ["GET", "/sip/deliveries/1"],
    ["GET", "/sip/unmatched"],
    ["GET", "/sip/calls"],
    ["GET", "/sip/calls/RM_1"],
    ["POST", "/sip/replay"],
    ["POST", "/sip/deliveries/cancel"],
    ["POST", "/sip/hooks/pause"],
    ["POST", "/sip/hooks/resume"],
    ["POST", "/sip/explain"],
  ] as const;

  test.each(ROUTES)("%s %s is 401 without a token, before anything is judged", async (method, path) => {
    const answer = await it.request(method, `${path}?limit=nonsense`, undefined, method === "POST" ? [] : undefined);
    expect(answer).toMatchObject({ status: 401, json: { error: { code: "unauthorized" } } });
  });

  test.each(ROUTES)("%s %s is 404 sip_not_configured without SIP", async (method, path) => {
    const plugin = auth({ required: false, secrets: [] });
    const app = new Elysia()
      .use(httpErrors({ log: silentLog }))
      .use(historyOff({ auth: plugin }))
      .use(explainOff({ auth: plugin }))
      .use(hooksStoreOff({ auth: plugin }));
    const response = await app.handle(new Request(`http://localhost${path}`, { method }));
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: "sip_not_configured" } });
  });
});
