import { describe, expect, test } from "bun:test";
import { hookId, type Hook } from "../../../src/domain/hook";
import { pattern } from "../../support/webhooks";
import { A, fixed, hook, hooksApi, hosts } from "./hooks-api";

const api = hooksApi();
const { get, post, remove } = api;

describe("operators", () => {
  test("see the whole table: host, url, auth_id, where it comes from, its state", async () => {
    await post([hook("x.a.example.com")]);
    expect((await get()).body.hooks).toEqual([
      { host: "fixed.a.example.com", url: fixed.url, auth_id: "tenant-a", source: "config", state: "active" },
      {
        host: "x.a.example.com",
        url: "https://hooks.example/1",
        auth_id: "tenant-a",
        source: "runtime",
        state: "active",
      },
    ]);
  });

  test("seed: hooks with matching hosts are replaced whatever their case, others are added, and the table is answered", async () => {
    await post([hook("one.example.com"), hook("two.example.com")]);
    const answer = await post([
      hook("ONE.Example.com.", "tenant-a", "https://hooks.example/2"),
      hook("three.example.com"),
    ]);
    expect(answer.status).toBe(200);
    expect(answer.body.hooks?.map(({ host, url }) => [host, url])).toEqual([
      ["fixed.a.example.com", fixed.url],
      ["one.example.com", "https://hooks.example/2"],
      ["two.example.com", "https://hooks.example/1"],
      ["three.example.com", "https://hooks.example/1"],
    ]);
  });

  test("seed: changes persist: a new registry on the same storage has them", async () => {
    await post([hook("one.example.com")]);
    const again = await api.loadAgain([fixed]);
    expect(again.table.all().map(({ host }) => String(host))).toEqual(["fixed.a.example.com", "one.example.com"]);
  });

  test.each([
    [
      "seed: duplicate hosts in one request",
      [hook("one.example.com"), hook("ONE.example.com")],
      "duplicate_host",
      "Duplicate SIP hook host",
    ],
    [
      "seed: a URL that is not HTTPS",
      [hook("one.example.com", "t", "http://hooks.example/1")],
      "insecure_url",
      "SIP hook URL must be HTTPS",
    ],
    [
      "a URL that only looks like HTTPS",
      [hook("one.example.com", "t", "https:hooks.example")],
      "insecure_url",
      "SIP hook URL must be HTTPS",
    ],
    ["a URL without a host", [hook("one.example.com", "t", "https://")], "invalid_url", "SIP hook URL is not valid"],
    [
      "a URL with a password",
      [hook("one.example.com", "t", "https://u:p@hooks.example/")],
      "invalid_url",
      "SIP hook URL is not valid",
    ],
    [
      "seed: a missing auth_id when authentication is on",
      [{ host: "one.example.com", url: "https://x.example/" }],
      "auth_id_required",
      "auth_id is required",
    ],
    ["a host with a space", [hook("one example.com")], "invalid_host", "SIP hook host is not a host"],
    ["a wildcard over one label", [hook("*.com")], "invalid_host", "SIP hook host is not a host"],
    ["a host with a per cent sign", [hook("one%2eexample.com")], "invalid_host", "SIP hook host is not a host"],
    ["a secret as it is", [{ ...hook("one.example.com"), secret: "whsec_x" }], "secret_not_allowed", "not allowed"],
    [
      "a secret reference that is not listed",
      [{ ...hook("one.example.com"), secret: "env:HOME" }],
      "secret_not_allowed",
      "not allowed",
    ],
    ["an unknown member", [{ ...hook("one.example.com"), hots: "x" }], "invalid_request", ""],
    ["no list", "one.example.com", "invalid_request", ""],
  ])("400, and nothing is changed: %s", async (_, hooks, code, message) => {
    await post([hook("kept.example.com")]);
    const answer = await post(Array.isArray(hooks) ? [hook("good.example.com"), ...hooks] : hooks);
    expect(answer.status).toBe(400);
    expect(answer.body.error?.code).toBe(code);
    expect(answer.body.error?.message).toContain(message);
    expect(hosts(await get())).toEqual(["fixed.a.example.com", "kept.example.com"]);
  });

  test("seed: 405 for a host of the configuration, naming it, and nothing is changed", async () => {
    const answer = await post([hook("new.example.com"), hook("FIXED.a.example.com")]);
    expect(answer.status).toBe(405);
    expect(answer.body.error).toMatchObject({ code: "config_host", hosts: ["fixed.a.example.com"] });
    expect(answer.headers.get("allow")).toBe("GET");
    expect((await remove(["fixed.a.example.com"])).status).toBe(405);
    expect(hosts(await get())).toEqual(["fixed.a.example.com"]);
  });

  test("deleting removes all of them or none", async () => {
    await post([hook("one.example.com"), hook("two.example.com")]);
    const refused = await remove(["one.example.com", "none.example.com"]);
    expect(refused.status).toBe(404);
    expect(refused.body.error).toMatchObject({ code: "hook_not_found", hosts: ["none.example.com"] });
    expect(hosts(await remove(["ONE.example.com"]))).toEqual(["fixed.a.example.com", "two.example.com"]);
  });

  test("seed: 500 with nothing changed when the store cannot write", async () => {
    await post([hook("one.example.com")]);
    api.storage.changeHooks = () => Promise.reject(new Error("SQLITE_FULL: database or disk is full"));
    const answer = await post([hook("two.example.com")]);
    expect(answer.status).toBe(500);
    expect(answer.body.error?.code).toBe("hooks_not_saved");
    expect(JSON.stringify(answer.body)).not.toContain("SQLITE");
    expect(api.log.text()).toContain("SQLITE_FULL");
    expect(hosts(await get())).toEqual(["fixed.a.example.com", "one.example.com"]);
  });

  test("10,000 hooks are taken in one request, and no more, which the error says", async () => {
    const many = Array.from({ length: 10_001 }, (_, i) => hook(`h${i}.example.com`, `tenant-${i % 100}`));
    const refused = await post(many);
    expect(refused.status).toBe(400);
    expect(refused.body.error).toMatchObject({
      code: "invalid_request",
      problems: [{ field: "body/hooks", message: "Expected array length to be less or equal to 10000" }],
    });
    const answer = await post(many.slice(1));
    expect(answer.status).toBe(200);
    expect(hosts(answer)).toEqual(["fixed.a.example.com", ...many.slice(1).map(({ host }) => host)]);
    expect(hosts(await remove(many.slice(2).map(({ host }) => host)))).toEqual([
      "fixed.a.example.com",
      "h1.example.com",
    ]);
  });

  test("a body that is too large is refused with the size that may come", async () => {
    const answer = await post([hook(`${"x".repeat(4 * 1024 * 1024)}.example.com`)]);
    expect(answer.status).toBe(413);
    expect(answer.body.error).toMatchObject({ code: "payload_too_large" });
    expect(answer.body.error?.message).toContain("4MiB");
  });

  test("concurrent updates do not lose each other", async () => {
    await Promise.all(Array.from({ length: 20 }, (_, i) => post([hook(`h${i}.example.com`)])));
    expect(hosts(await get())).toHaveLength(21);
  });

  test("each change is recorded: who, when, before and after", async () => {
    await post([hook("one.example.com")]);
    await post([hook("x.a.example.com")], A);
    expect(await api.storage.hookVersions(10)).toMatchObject([
      { who: "tenant-a", hosts: ["x.a.example.com"] },
      { who: "ops", at: api.clock.now(), hosts: ["one.example.com"] },
    ]);
    const [difference] = await api.storage.hookDifferences(1, 2);
    expect(difference).toMatchObject({ host: "x.a.example.com", after: { authId: "tenant-a" } });
  });

  test("without authentication auth_id may be missing, and the caller is anonymous", async () => {
    api.authRequired = false;
    const answer = await api.call(
      "POST",
      { hooks: [{ host: "one.example.com", url: "https://x.example/" }] },
      undefined,
    );
    expect(answer.status).toBe(200);
    expect((await api.storage.hookVersions(1))[0]?.who).toBe("anonymous");
  });
});

test("a configuration's host shadows one that was added at run time, which comes back without it", async () => {
  await post([hook("later.example.com", "tenant-b")]);
  const later: Hook = {
    ...fixed,
    id: hookId(pattern("later.example.com"), "tenant-a"),
    host: pattern("later.example.com"),
  };
  const shadowed = await api.loadAgain([later]);
  expect(shadowed.table.all().map(({ authId }) => authId)).toEqual(["tenant-a"]);
  const back = await api.loadAgain([]);
  expect(back.table.all().map(({ authId }) => authId)).toEqual(["tenant-b"]);
});
