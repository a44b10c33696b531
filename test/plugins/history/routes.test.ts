import { afterAll, beforeAll, describe, expect, test } from "bun:test";
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
});
