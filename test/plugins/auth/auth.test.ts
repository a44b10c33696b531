import { afterEach, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { Elysia, t } from "elysia";
import { parseHostPattern, type HostPattern } from "../../../src/domain/host-pattern";
import { Secret } from "../../../src/domain/secret";
import { auth, type ApiSecret, type AuthOptions } from "../../../plugins/auth";
import { httpErrors } from "../../../plugins/http-errors";
import { recordingLog } from "../../support/recording-log";
import { silentLog } from "../../support/silent-log";

const BASE = "http://localhost";

function pattern(text: string): HostPattern {
  const host = parseHostPattern(text);
  if (host === undefined) throw new Error(text);
  return host;
}

const OPS: ApiSecret = { id: "ops", secret: new Secret("ops-secret"), role: "operator", hosts: [] };
const TENANT: ApiSecret = {
  id: "tenant-a",
  secret: new Secret("tenant-secret"),
  role: "tenant",
  hosts: [pattern("*.tenant-a.example.com")],
};

const AS_OPS = { role: "operator", id: "ops" };
const AS_TENANT = { role: "tenant", id: "tenant-a", hosts: ["*.tenant-a.example.com"] };
const ANONYMOUS = { role: "operator", id: "anonymous" };

const Body = t.Object({ x: t.String() });

function createApp(options: Partial<AuthOptions> = {}) {
  const plugin = auth({ required: true, secrets: [OPS, TENANT], ...options });
  return new Elysia()
    .use(httpErrors({ log: silentLog }))
    .use(plugin)
    .get("/me", ({ caller }) => caller, { caller: true })
    .get("/query", ({ caller }) => caller, { caller: true, query: t.Object({ needed: t.Number() }) })
    .get("/public", () => "anybody")
    .post("/body", ({ body, caller }) => ({ body, caller }), { caller: true, body: Body })
    .delete("/body", ({ body }) => body, { caller: true, body: Body })
    .post("/no-body", ({ caller }) => caller, { caller: true })
    .post("/raw", ({ request }) => request.text(), { caller: true, parse: "none" })
    .guard({ caller: true }, (app) => app.post("/guarded", ({ body }) => body, { body: Body }));
}

type Sent = { readonly authorization?: string; readonly query?: string };

async function me({ authorization, query = "" }: Sent, options?: Partial<AuthOptions>) {
  const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
  const response = await createApp(options).handle(new Request(`${BASE}/me${query}`, { headers }));
  return {
    status: response.status,
    challenge: response.headers.get("www-authenticate"),
    body: await response.json(),
  };
}

describe("the token", () => {
  test.each<[string, Sent, object]>([
    ["in the header", { authorization: "Bearer ops-secret" }, AS_OPS],
    ["of a tenant, with its hosts", { authorization: "Bearer tenant-secret" }, AS_TENANT],
    ["with the scheme in lower case (RFC 9110 section 11.1)", { authorization: "bearer ops-secret" }, AS_OPS],
    ["with the scheme in capitals", { authorization: "BEARER ops-secret" }, AS_OPS],
    ["after several spaces", { authorization: "Bearer   ops-secret" }, AS_OPS],
    ["in the query", { query: "?api_key=ops-secret" }, AS_OPS],
    ["in the query, escaped", { query: "?x=1&api%5Fkey=ops%2Dsecret" }, AS_OPS],
    [
      "in the header decides over one in the query",
      { authorization: "Bearer tenant-secret", query: "?api_key=ops-secret" },
      AS_TENANT,
    ],
    [
      "in the query, while the header has another scheme",
      { authorization: "Basic eDp5", query: "?api_key=ops-secret" },
      AS_OPS,
    ],
  ])("%s: accepted", async (_, sent, principal) => {
    expect(await me(sent)).toEqual({ status: 200, challenge: null, body: principal });
  });

  test.each<[string, Sent]>([
    ["unknown", { authorization: "Bearer nobody" }],
    ["empty", { authorization: "Bearer " }],
    ["missing after the scheme", { authorization: "Bearer" }],
    ["without a space after the scheme", { authorization: "Bearerops-secret" }],
    ["without a scheme", { authorization: "ops-secret" }],
    ["with another scheme", { authorization: "Token ops-secret" }],
    ["with something after it", { authorization: "Bearer ops-secret x" }],
    ["in two headers", { authorization: "Bearer ops-secret, Bearer ops-secret" }],
    ["in another case", { authorization: "Bearer OPS-SECRET" }],
    ["a part of the secret", { authorization: "Bearer ops-secre" }],
    ["very long", { authorization: `Bearer ${"x".repeat(15_000)}` }],
    ["wrong in the header, right in the query", { authorization: "Bearer x", query: "?api_key=ops-secret" }],
    ["wrong in the query", { query: "?api_key=nobody" }],
    ["empty in the query", { query: "?api_key=" }],
    ["twice in the query", { query: "?api_key=ops-secret&api_key=ops-secret" }],
    ["twice in the query, one of them wrong", { query: "?api_key=ops-secret&api_key=x" }],
  ])("%s: 401 invalid_token, also when none is required", async (_, sent) => {
    for (const required of [true, false]) {
      const answer = await me(sent, { required });
      expect(answer).toMatchObject({
        status: 401,
        challenge: 'Bearer realm="sayna-sip", error="invalid_token"',
        body: { error: { code: "unauthorized" } },
      });
      expect(JSON.stringify(answer)).not.toContain("ops-secret");
    }
  });

  test.each<[string, Sent]>([
    ["none", {}],
    ["access_token, which is not a name of ours", { query: "?access_token=ops-secret" }],
    ["API_KEY, because parameters have a case", { query: "?API_KEY=ops-secret" }],
  ])("%s: 401 without an error code (RFC 6750 section 3.1)", async (_, sent) => {
    expect(await me(sent)).toMatchObject({ status: 401, challenge: 'Bearer realm="sayna-sip"' });
  });
});

describe("when it is not required", () => {
  test("a caller without a token is the operator", async () => {
    expect(await me({}, { required: false })).toMatchObject({ status: 200, body: ANONYMOUS });
  });

  test("a tenant's token still makes a tenant", async () => {
    expect(await me({ authorization: "Bearer tenant-secret" }, { required: false })).toMatchObject({ body: AS_TENANT });
  });

  test("and there is no secret, a token is not looked at", async () => {
    const sent = { authorization: "Bearer whatever", query: "?api_key=a&api_key=b" };
    expect(await me(sent, { required: false, secrets: [] })).toMatchObject({ status: 200, body: ANONYMOUS });
  });
});

describe("a stranger is told 401 before anything else", () => {
  const json = { "content-type": "application/json" };

  test.each<[string, string, RequestInit]>([
    ["malformed JSON", "/body", { method: "POST", body: "{", headers: json }],
    ["a body of the wrong form", "/body", { method: "POST", body: '{"x":1}', headers: json }],
    ["10 MB", "/body", { method: "POST", body: `"${"x".repeat(10_000_000)}"`, headers: json }],
    ["another content type", "/body", { method: "POST", body: "x=1", headers: { "content-type": "text/plain" } }],
    ["no content type", "/body", { method: "POST", body: new Uint8Array(3) }],
    ["a broken form", "/body", { method: "POST", body: "x", headers: { "content-type": "multipart/form-data" } }],
    ["no body", "/body", { method: "POST" }],
    ["malformed JSON to DELETE", "/body", { method: "DELETE", body: "{", headers: json }],
    ["an empty JSON body where none is wanted", "/no-body", { method: "POST", headers: json }],
    ["a wrong query", "/query?needed=x", {}],
    ["a route that reads the body itself", "/raw", { method: "POST", body: "{", headers: json }],
    ["a route in a guard", "/guarded", { method: "POST", body: "{", headers: json }],
  ])("with %s, and the body is not read", async (_, path, init) => {
    const request = new Request(`${BASE}${path}`, init);
    const response = await createApp().handle(request);
    expect(response.status).toBe(401);
    expect(request.bodyUsed).toBe(false);
  });

  const stops: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });

  test("over a connection: while the body is still to come", async () => {
    const app = createApp().listen({ hostname: "127.0.0.1", port: 0, reusePort: false });
    stops.push(() => app.stop(true));
    const socket = connect(app.server?.port ?? 0, "127.0.0.1");
    stops.push(async () => socket.destroy());
    socket.write(
      "POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{",
    );
    const answer = await new Promise<string>((resolve, reject) => {
      socket.once("data", (data) => resolve(String(data)));
      socket.once("error", reject);
    });
    expect(answer).toStartWith("HTTP/1.1 401");
  });

  test("and routes that do not ask for a caller are open to anybody", async () => {
    const response = await createApp().handle(new Request(`${BASE}/public`));
    expect(await response.text()).toBe("anybody");
  });
});

describe("a known caller", () => {
  const authorization = "Bearer ops-secret";
  type Init = { readonly method: string; readonly body?: string; readonly headers?: Readonly<Record<string, string>> };
  const send = (path: string, init: Init) =>
    createApp().handle(new Request(`${BASE}${path}`, { ...init, headers: { authorization, ...init.headers } }));

  test.each(["application/json", "Application/JSON; charset=utf-8"])("has a body as %s read", async (type) => {
    const response = await send("/body", { method: "POST", body: '{"x":"1"}', headers: { "content-type": type } });
    expect(await response.json()).toEqual({ body: { x: "1" }, caller: AS_OPS });
  });

  test.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", ""])(
    "is told 400 for a body as %j, which any web page could send",
    async (type) => {
      const response = await send("/body", { method: "POST", body: '{"x":"1"}', headers: { "content-type": type } });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({
        error: { code: "invalid_request", message: expect.stringContaining("application/json") },
      });
    },
  );

  test.each<[string, string]>([
    ["/raw", '{"x":"1"}'],
    ["/guarded", '{"x":"1"}'],
  ])("reaches %s", async (path, answer) => {
    const headers = { "content-type": "application/json" };
    const response = await send(path, { method: "POST", body: '{"x":"1"}', headers });
    expect([response.status, await response.text()]).toEqual([200, answer]);
  });

  test.each<[string, string, number, string]>([
    ["no JSON", "{", 400, "invalid_request"],
    ["invalid UTF-8", '{"x":"\xff"}', 400, "invalid_request"],
    ["more than 4 MiB", `{"x":"${"y".repeat(4 * 1024 * 1024)}"}`, 413, "payload_too_large"],
  ])("is told what is wrong with a body that is %s", async (_, body, status, code) => {
    const headers = { authorization, "content-type": "application/json" };
    const response = await createApp().handle(
      new Request(`${BASE}/body`, { method: "POST", body: Buffer.from(body, "latin1"), headers }),
    );
    expect([response.status, await response.json()]).toMatchObject([status, { error: { code } }]);
  });

  test("may send nothing, or anything, where no body is wanted", async () => {
    for (const init of [{}, { headers: { "content-type": "application/json" } }, { body: "{" }]) {
      expect((await send("/no-body", { method: "POST", ...init })).status).toBe(200);
    }
  });
});

describe("refused at construction", () => {
  test.each<[string, AuthOptions]>([
    ["required without a secret", { required: true, secrets: [] }],
    ["two equal secrets", { required: false, secrets: [OPS, { ...TENANT, secret: new Secret("ops-secret") }] }],
    ["an empty secret", { required: true, secrets: [{ ...OPS, secret: new Secret("") }] }],
  ])("%s", (_, options) => {
    expect(() => auth(options)).toThrow(/secret/);
  });
});

test("options that change while it runs count for the next request", async () => {
  let options: AuthOptions = { required: true, secrets: [OPS] };
  const app = new Elysia()
    .use(httpErrors({ log: silentLog }))
    .use(auth(() => options))
    .get("/me", ({ caller }) => caller.id, { caller: true });
  const status = async (token: string) =>
    (await app.handle(new Request(`${BASE}/me`, { headers: { authorization: `Bearer ${token}` } }))).status;
  const before = [await status("ops-secret"), await status("next")];
  options = { required: true, secrets: [{ ...OPS, secret: new Secret("next") }] };
  expect([before, await status("ops-secret"), await status("next")]).toEqual([[200, 401], 401, 200]);
});

describe("who asked for a change", () => {
  const asked = async (method: string, headers: Record<string, string>) => {
    const log = recordingLog();
    const app = new Elysia()
      .use(httpErrors({ log: silentLog }))
      .use(auth({ required: true, secrets: [OPS, TENANT] }, log))
      .get("/me", ({ caller }) => caller.id, { caller: true })
      .post("/me", ({ caller }) => caller.id, { caller: true });
    const response = await app.handle(new Request(`${BASE}/me?api_key=x&y=1`, { method, headers }));
    return { id: response.headers.get("x-request-id"), lines: log.lines };
  };
  const authorization = "Bearer ops-secret";

  test("is logged under the id that its answer has, without the query", async () => {
    expect(await asked("POST", { authorization, "x-request-id": "r-1" })).toEqual({
      id: "r-1",
      lines: [
        {
          level: "info",
          message: "API request",
          fields: { request_id: "r-1", who: "ops", role: "operator", method: "POST", path: "/me" },
        },
      ],
    });
  });

  test("is not when nothing can change, or nobody is known", async () => {
    expect((await asked("GET", { authorization })).lines).toEqual([]);
    expect((await asked("POST", { authorization: "Bearer guessed" })).lines).toEqual([]);
  });
});
