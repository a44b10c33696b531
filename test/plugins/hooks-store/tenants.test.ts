import { beforeEach, describe, expect, test } from "bun:test";
import { A, B, hook, hooksApi, hosts } from "./hooks-api";

const api = hooksApi();
const { get, post, remove } = api;

describe("tenants", () => {
  test("may name their own references, and nobody else's: a token would go out in clear to an url of their choice", async () => {
    const own = await post([{ ...hook("x.a.example.com"), credentials: { bearer: "env:OF_A" } }], A);
    expect(own.status).toBe(200);
    for (const reference of ["env:OF_B", "env:ALLOWED", "env:HOME"]) {
      const uses = [
        { secret: reference },
        { previous_secret: { secret: reference, until: "2030-01-31T12:00:00Z" } },
        { credentials: { bearer: reference } },
        { credentials: { basic: { username: "u", password: reference } } },
        { credentials: { header: { name: "X-Api-Key", value: reference } } },
        { credentials: { client_certificate: { certificate: "env:OF_A", key: reference } } },
        { credentials: { client_certificate: { certificate: reference, key: "env:OF_A" } } },
      ];
      for (const use of uses) {
        const answer = await post([{ ...hook("y.a.example.com"), ...use }], A);
        expect([use, answer.body.error?.code]).toEqual([use, "secret_not_allowed"]);
      }
    }
  });

  test("cannot point a hook with an operator's credentials elsewhere and keep them", async () => {
    await post([{ ...hook("x.a.example.com"), credentials: { bearer: "env:ALLOWED" } }]);
    const kept = { credentials: { bearer: "env:ALLOWED" } };
    expect((await post([{ ...hook("x.a.example.com"), ...kept }], A)).body.error?.code).toBe("secret_not_allowed");
    const answer = await post([hook("x.a.example.com", "tenant-a", "https://elsewhere.example/")], A);
    expect(answer.body.hooks?.at(-1)).toMatchObject({ url: "https://elsewhere.example/" });
    expect(answer.body.hooks?.at(-1)).not.toHaveProperty("credentials");
  });

  beforeEach(async () => {
    await post([hook("x.b.example.com", "tenant-b"), hook("operators.a.example.com", "tenant-b")]);
  });

  test("see the hooks of their own auth_id only", async () => {
    await post([hook("x.a.example.com")], A);
    expect(hosts(await get(A))).toEqual(["fixed.a.example.com", "x.a.example.com"]);
    expect(hosts(await get(B))).toEqual(["x.b.example.com", "operators.a.example.com"]);
  });

  test("a missing auth_id becomes their own", async () => {
    const answer = await post([{ host: "x.a.example.com", url: "https://x.example/" }], A);
    expect(answer.body.hooks?.at(-1)).toMatchObject({ auth_id: "tenant-a" });
  });

  test.each([
    ["a host outside its hosts, free", [hook("free.example.com")]],
    ["a host outside its hosts, somebody's", [hook("x.b.example.com")]],
    ["a host within its hosts that is somebody else's", [hook("operators.a.example.com")]],
    ["a wildcard wider than its hosts", [hook("*.example.com")]],
    ["another auth_id", [hook("x.a.example.com", "tenant-b")]],
  ])("403, always the same: %s", async (_, hooks) => {
    const before = await get();
    const answer = await post(hooks, A);
    expect(answer.status).toBe(403);
    expect(answer.body.error).toEqual(
      (await post([hook("other.example.org")], A)).body.error ?? { code: "", message: "" },
    );
    expect((await get()).body).toEqual(before.body);
  });

  test("deleting what is somebody else's and what does not exist is answered alike", async () => {
    const theirs = await remove(["operators.a.example.com"], A);
    const free = await remove(["free.a.example.com"], A);
    const outside = await remove(["x.b.example.com"], A);
    expect([theirs.status, free.status, outside.status]).toEqual([403, 403, 403]);
    expect(theirs.body).toEqual(free.body);
    expect(outside.body).toEqual(free.body);
  });

  test("a host that two tenants may have goes to the first, and the other one is refused without a word about it", async () => {
    expect((await post([hook("shared.example.com")], A)).status).toBe(200);
    const answer = await post([hook("shared.example.com", "tenant-b")], B);
    expect(answer.status).toBe(403);
    expect(JSON.stringify(answer.body)).not.toContain("tenant-a");
  });

  test("their own host of the configuration is 405", async () => {
    expect((await post([hook("fixed.a.example.com")], A)).status).toBe(405);
    expect((await remove(["fixed.a.example.com"], A)).status).toBe(405);
  });
});
