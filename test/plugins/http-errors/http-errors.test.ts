import { afterEach, describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { Elysia, NotFoundError, t } from "elysia";
import { INSTANT_PATTERN } from "../../../src/domain/instant";
import { AppError, ERRORS } from "../../../src/domain/errors";
import { httpErrors } from "../../../plugins/http-errors";
import { recordingLog } from "../../support/recording-log";

const Body = t.Object(
  {
    hosts: t.Array(t.String({ maxLength: 5 })),
    url: t.String({ pattern: "^https://" }),
    when: t.Optional(Type.Union([Type.Literal("now"), Type.Integer()])),
  },
  { additionalProperties: false },
);

function setUp() {
  const log = recordingLog();
  const plugin = new Elysia({ name: "a-plugin" })
    .get("/forbidden", () => {
      throw new AppError("forbidden", { message: "host x.example", fields: { host: "x.example" } });
    })
    .get("/unauthorized", ({ set }) => {
      set.headers["x-other"] = "kept";
      set.status = 201;
      throw new AppError("unauthorized", { headers: { "www-authenticate": "Bearer" } });
    })
    .get("/not-saved", () => {
      throw new AppError("hooks_not_saved", { cause: new Error("SQLITE_FULL in /var/lib/secret") });
    })
    .get("/not-kept", () => {
      throw new AppError("not_kept", { headers: { "retry-after": "2" } });
    })
    .get("/refused", () => {
      throw new AppError("invalid_host", { cause: new Error("s3cret") });
    })
    .get("/internal", () => {
      throw new AppError("internal");
    })
    .get("/gone", () => {
      throw new NotFoundError();
    })
    .get("/bug", () => {
      throw new TypeError("undefined is not a function in /srv/secret.ts");
    })
    .get("/late-bug", async () => {
      await Promise.resolve();
      throw new Error("secret");
    })
    .get("/not-an-error", () => {
      // oxlint-disable-next-line typescript/only-throw-error -- what a library may do
      throw "secret";
    })
    .get("/bug-with-a-status", () => {
      throw Object.assign(new Error("secret"), { status: 418, code: "NOT_FOUND" });
    })
    .get("/wrong-answer", () => JSON.parse('{"x":"secret"}'), { response: { 200: t.Object({ x: t.Number() }) } })
    .get("/status", ({ status }) => {
      throw status(418, "chosen");
    })
    .post("/body", ({ body }) => body, { body: Body })
    .get("/query", ({ query }) => query, {
      query: t.Object({
        limit: t.Integer({ maximum: 10 }),
        sort: t.Optional(t.UnionEnum(["up", "down"])),
        since: t.Optional(t.String({ pattern: INSTANT_PATTERN })),
        states: t.Optional(
          t.String({ pattern: "^[ab](,[ab])*$", description: "One or more of a, b.", examples: ["a,b"] }),
        ),
      }),
    })
    .get("/numbers/:id", ({ params }) => params.id, {
      params: t.Object({ id: t.Integer({ minimum: 1 }) }),
      query: t.Object({ share: t.Numeric({ maximum: 1 }), limit: t.Optional(t.Integer({ minimum: 1 })) }),
    })
    .post("/parser", () => "", {
      parse: () => {
        throw new AppError("payload_too_large");
      },
    })
    .get("/items/:id", () => "")
    .delete("/items/:id", () => "")
    .get("/files/*", () => "");
  const app = new Elysia({ normalize: false })
    .use(httpErrors({ log, newRequestId: () => "id-1" }))
    .use(plugin)
    .get("/own", () => {
      throw new AppError("forbidden");
    });
  const send = async (path: string, init: RequestInit = {}) => {
    const response = await app.handle(new Request(`http://localhost${path}`, init));
    const text = await response.text();
    return { status: response.status, headers: response.headers, text };
  };
  return { log, app, send };
}

const post = (body: string, type = "application/json") => ({
  method: "POST",
  body,
  headers: { "content-type": type },
});

describe("an AppError", () => {
  test("is answered with its status, its headers and its body", async () => {
    const { send, log } = setUp();
    const { status, headers, text } = await send("/forbidden");
    expect(status).toBe(403);
    expect(headers.get("content-type")).toStartWith("application/json");
    expect(JSON.parse(text)).toEqual({
      error: {
        code: "forbidden",
        message: `${ERRORS.forbidden.message}: host x.example`,
        hint: ERRORS.forbidden.hint,
        host: "x.example",
        request_id: "id-1",
      },
    });
    expect(headers.get("x-request-id")).toBe("id-1");
    expect(log.lines).toEqual([]);
  });

  test("keeps the headers that were set before it, and not the status", async () => {
    const { status, headers } = await setUp().send("/unauthorized");
    expect([status, headers.get("www-authenticate"), headers.get("x-other")]).toEqual([401, "Bearer", "kept"]);
  });

  test("is the same when it is thrown while the body is parsed, or by the application itself", async () => {
    const { send } = setUp();
    expect((await send("/parser", post("x"))).status).toBe(413);
    expect((await send("/own")).status).toBe(403);
  });

  test("of a server's fault has its cause in the log alone, under the id of the answer", async () => {
    const { send, log } = setUp();
    const { status, text } = await send("/not-saved?api_key=s3cret");
    expect(status).toBe(500);
    expect(JSON.parse(text)).toMatchObject({ error: { code: "hooks_not_saved", request_id: "id-1" } });
    expect(text).not.toContain("SQLITE_FULL");
    expect(log.lines).toMatchObject([
      {
        level: "error",
        fields: {
          request_id: "id-1",
          method: "GET",
          code: "hooks_not_saved",
          url: "http://localhost/not-saved?api_key=[secret]",
        },
      },
    ]);
    expect(String(log.lines[0]?.fields["err"])).toContain("SQLITE_FULL");
  });

  test("of the caller's fault has its cause at debug level, under the id of the answer", async () => {
    const { send, log } = setUp();
    const { status, text } = await send("/refused");
    expect([status, Object.keys(JSON.parse(text).error)]).toEqual([400, ["code", "message", "hint", "request_id"]]);
    expect(log.lines).toMatchObject([{ level: "debug", fields: { request_id: "id-1" } }]);
  });

  test("that is internal is always logged, because its answer points there", async () => {
    const { send, log } = setUp();
    expect(JSON.parse((await send("/internal")).text)).toMatchObject({ error: { request_id: "id-1" } });
    expect(log.lines).toMatchObject([{ level: "error", fields: { request_id: "id-1", err: expect.any(AppError) } }]);
  });

  test("without a cause is not logged", async () => {
    const { send, log } = setUp();
    const { status, headers } = await send("/not-kept");
    expect([status, headers.get("retry-after")]).toEqual([503, "2"]);
    expect(log.lines).toEqual([]);
  });
});

describe("anything else that is thrown", () => {
  test.each(["/bug", "/late-bug", "/not-an-error", "/bug-with-a-status"])(
    "is internal: %s is in the log, and its message is not in the answer",
    async (path) => {
      const { send, log } = setUp();
      const { status, headers, text } = await send(path);
      expect(status).toBe(500);
      expect(headers.get("content-type")).toStartWith("application/json");
      expect(JSON.parse(text)).toEqual({
        error: { code: "internal", message: ERRORS.internal.message, hint: ERRORS.internal.hint, request_id: "id-1" },
      });
      expect(log.lines).toMatchObject([{ level: "error", fields: { request_id: "id-1", code: "internal" } }]);
      expect(String(log.lines[0]?.fields["err"])).toMatch(/secret/);
    },
  );

  test("an answer that does not have its own form is internal, and its content not even in the log", async () => {
    const { send, log } = setUp();
    const { status, text } = await send("/wrong-answer");
    expect([status, JSON.parse(text).error.code]).toEqual([500, "internal"]);
    expect(log.lines).toMatchObject([
      { level: "error", fields: { err: { invalidResponse: [{ field: "response/x", message: "Expected number" }] } } },
    ]);
    expect(text + log.text()).not.toContain("secret");
  });

  test("a status that a handler chose is left to it", async () => {
    const { status, text } = await setUp().send("/status");
    expect([status, text]).toEqual([418, "chosen"]);
  });
});

describe("a request of the wrong form", () => {
  async function problems(path: string, init?: RequestInit) {
    const { status, text } = await setUp().send(path, init);
    const { error } = JSON.parse(text);
    expect([status, error.code, error.hint]).toEqual([400, "invalid_request", ERRORS.invalid_request.hint]);
    expect(text).not.toContain("s3cret");
    return error;
  }

  test("is told which fields, and what was expected there, once each", async () => {
    const error = await problems("/body", post('{"hosts":["a","s3cret"],"url":"ftp://s3cret"}'));
    expect(error.problems).toEqual([
      { field: "body/hosts/1", message: "Expected string length less or equal to 5" },
      { field: "body/url", message: "Expected string to match '^https://'" },
    ]);
    expect(error.message).toBe(
      `${ERRORS.invalid_request.message}: body/hosts/1: Expected string length less or equal to 5`,
    );
  });

  test.each<[string, string, RequestInit, string, string]>([
    ["a missing field", "/body", post('{"hosts":[]}'), "body/url", "Expected required property"],
    ["an unknown field", "/body", post('{"hosts":[],"url":"https://","x":"s3cret"}'), "body/x", "Unexpected property"],
    ["another type", "/body", post('["s3cret"]'), "body", "Expected object"],
    ["no body", "/body", { method: "POST" }, "body", "Expected a JSON body"],
    ["another content type", "/body", post("s3cret", "text/html"), "body", "Expected object"],
    ["a query", "/query?limit=s3cret", {}, "query/limit", "Expected integer"],
    ["a query that is too large", "/query?limit=11", {}, "query/limit", "Expected integer to be less or equal to 10"],
    ["a path that is too small", "/numbers/0?share=1", {}, "params/id", "Expected integer to be greater or equal to 1"],
    ["a fraction", "/numbers/1?share=1.5", {}, "query/share", "Expected number to be less or equal to 1"],
    ["a time", "/query?limit=1&since=s3cret", {}, "query/since", "Expected a time such as 2026-11-21T22:50:00Z"],
    ["a form", "/query?limit=1&states=s3cret", {}, "query/states", "Expected a text such as a,b: One or more of a, b."],
    ["one of several words", "/query?limit=1&sort=s3cret", {}, "query/sort", 'Expected "up" or "down"'],
    [
      "one of several forms",
      "/body",
      post('{"hosts":[],"url":"https://","when":"s3cret"}'),
      "body/when",
      'Expected "now" or integer',
    ],
  ])("%s", async (_, path, init, field, message) => {
    expect((await problems(path, init)).problems).toEqual([{ field, message }]);
  });

  test("is told every number that is not right", async () => {
    const { problems: all } = await problems("/numbers/1?share=2&limit=0");
    expect(all.map(({ field }: { field: string }) => field)).toEqual(["query/share", "query/limit"]);
  });

  test.each(['{"hosts":["s3cret"', "s3cret", "", "\u0000"])("is no JSON: %j", async (body) => {
    const error = await problems("/body", post(body));
    expect(error.message).toEndWith("the body cannot be read as its content type says");
  });

  test("has at most 20 problems, and no long names", async () => {
    const many = await problems(
      "/body",
      post(JSON.stringify({ url: "https://", hosts: Array(1000).fill("too long") })),
    );
    expect(many.problems).toHaveLength(20);
    const long = await problems("/body", post(JSON.stringify({ url: "https://", hosts: [], ["n".repeat(10_000)]: 1 })));
    expect(JSON.stringify(long).length).toBeLessThan(1000);
  });
});

describe("an address", () => {
  test.each([
    ["that is none", "/nothing"],
    ["whose handler says so", "/gone"],
  ])("%s is 404", async (_, path) => {
    const { status, text } = await setUp().send(path);
    expect([status, JSON.parse(text).error.code]).toEqual([404, "not_found"]);
  });

  test.each([
    ["/items/1", "POST", "DELETE, GET, HEAD"],
    ["/items/1/", "PUT", "DELETE, GET, HEAD"],
    ["/items/1?x=1", "OPTIONS", "DELETE, GET, HEAD"],
    ["/body", "GET", "POST"],
    ["/body", "HEAD", "POST"],
    ["/files/a/b.txt", "POST", "GET, HEAD"],
    ["/own", "DELETE", "GET, HEAD"],
  ])("%s does not take %s: 405 with Allow: %s", async (path, method, allow) => {
    const { status, headers, text } = await setUp().send(path, { method });
    expect([status, headers.get("allow")]).toEqual([405, allow]);
    if (method !== "HEAD") expect(JSON.parse(text).error.code).toBe("method_not_allowed");
  });

  test.each(["/items", "/items/1/2", "/items/1//", "/file", "/"])("%s is no address of another route", async (path) => {
    expect((await setUp().send(path, { method: "POST" })).status).toBe(404);
  });
});

describe("over a connection", () => {
  const stops: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });

  test("the answers are the same", async () => {
    const { app } = setUp();
    app.listen({ hostname: "127.0.0.1", port: 0, reusePort: false });
    stops.push(() => app.stop(true));
    const url = `http://127.0.0.1:${app.server?.port}`;
    const codes = await Promise.all(
      [
        fetch(`${url}/bug`),
        fetch(`${url}/nothing`),
        fetch(`${url}/body`),
        fetch(`${url}/body`, post("{")),
        fetch(`${url}/forbidden`),
      ].map(async (response) => JSON.parse(await (await response).text()).error.code),
    );
    expect(codes).toEqual(["internal", "not_found", "method_not_allowed", "invalid_request", "forbidden"]);
  });
});

describe("a request's own x-request-id", () => {
  test.each(["7f9c-1", "a".repeat(128), "trace:00-af/1@proxy+x=_."])("is the id of its answer: %s", async (id) => {
    const { headers, text } = await setUp().send("/bug", { headers: { "x-request-id": id } });
    expect([headers.get("x-request-id"), JSON.parse(text).error.request_id]).toEqual([id, id]);
  });

  test.each(["", "a".repeat(129), "with blank", "é", 'x","level":"fatal', "<script>", "$(id)", "a;b"])(
    "is not taken when no log should hold it: %s",
    async (id) => {
      const { headers } = await setUp().send("/bug", { headers: { "x-request-id": id } });
      expect(headers.get("x-request-id")).toBe("id-1");
    },
  );
});
