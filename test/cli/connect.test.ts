import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryDirectory } from "../support/server-process";
import { runCli } from "./run-cli";

/** Answers in ways that sayna-sip does, and does not. */
let service: ReturnType<typeof Bun.serve>;
let seen: Request[] = [];
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  directory = await temporaryDirectory();
  service = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      seen.push(request);
      const { pathname } = new URL(request.url);
      if (pathname.startsWith("/elsewhere/")) return Response.redirect(`${new URL(request.url).origin}/sip/hooks`);
      if (pathname.startsWith("/page/")) return new Response("<html>", { headers: { "content-type": "text/html" } });
      if (request.headers.get("authorization") === "Bearer wrong") {
        const error = { code: "unauthorized", message: "Authentication is required", hint: "Send it." };
        return Response.json({ error }, { status: 401 });
      }
      return Response.json({
        hooks: [{ host: "a.example.com\u001b[2J", url: "https://a.example/", source: "config", state: "active" }],
      });
    },
  });
});

afterAll(async () => {
  await service.stop(true);
  await directory.remove();
});

const url = () => `http://127.0.0.1:${service.port}`;
const list = (args: readonly string[] = [], env: Record<string, string> = {}) => {
  seen = [];
  return runCli(["hooks", "list", ...args], { env: { SAYNA_SIP_URL: url(), ...env } });
};

describe("which service is asked, and as whom", () => {
  test("--url wins over SAYNA_SIP_URL, --token-file over SAYNA_SIP_TOKEN", async () => {
    const file = join(directory.path, "token");
    await writeFile(file, "of-the-file\n");
    const { code } = await list(["--url", `${url()}/`, "--token-file", file], {
      SAYNA_SIP_URL: "http://127.0.0.1:1",
      SAYNA_SIP_TOKEN: "of-the-variable",
    });
    expect({ code, token: seen[0]?.headers.get("authorization") }).toEqual({ code: 0, token: "Bearer of-the-file" });
    await list([], { SAYNA_SIP_TOKEN: "of-the-variable" });
    expect(seen[0]?.headers.get("authorization")).toBe("Bearer of-the-variable");
    await list();
    expect(seen[0]?.headers.has("authorization")).toBe(false);
  });

  test("a token does not follow a redirect", async () => {
    const { code, err } = await list(["--url", `${url()}/elsewhere`], { SAYNA_SIP_TOKEN: "secret" });
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining("answered 302, and not as sayna-sip does") });
    expect(seen).toHaveLength(1);
  });
});

test("neither the request nor its token goes to a proxy", async () => {
  const proxy = "http://127.0.0.1:1";
  const { code } = await list([], { SAYNA_SIP_TOKEN: "secret", HTTP_PROXY: proxy, http_proxy: proxy });
  expect({ code, tokens: seen.map(({ headers }) => headers.get("authorization")) }).toEqual({
    code: 0,
    tokens: ["Bearer secret"],
  });
});

describe("what goes wrong is said with what to do", () => {
  test("nobody listens: 1", async () => {
    const { code, out, err } = await list(["--url", "http://127.0.0.1:1"]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toStartWith("error: No answer from http://127.0.0.1:1: ");
    expect(err).toEndWith("Is the service running there? --url or SAYNA_SIP_URL says where it listens.\n");
  });

  test("a page of somebody else's: 1", async () => {
    const { code, err } = await list(["--url", `${url()}/page`]);
    expect({ code, err }).toEqual({
      code: 1,
      err:
        `error: ${url()}/page answered 200, and not as sayna-sip does\n` +
        "--url or SAYNA_SIP_URL is the address of sayna-sip itself, without a path.\n",
    });
  });

  test("the token is wrong: 1, and what --json prints is the API's answer", async () => {
    const { code, out, err } = await list(["--json"], { SAYNA_SIP_TOKEN: "wrong" });
    expect({ code, json: JSON.parse(out) as object }).toEqual({
      code: 1,
      json: { error: { code: "unauthorized", message: "Authentication is required", hint: "Send it." } },
    });
    expect(err).toBe(
      `error: Authentication is required (unauthorized, 401 from ${url()})\n` +
        "Name the file that holds your token with --token-file, or set SAYNA_SIP_TOKEN.\n",
    );
  });

  test.each([
    [["--url", "127.0.0.1:3001"], "error: --url is not an http:// or https:// URL: 127.0.0.1:3001"],
    [["--url", "ftp://a.example"], "error: --url is not an http:// or https:// URL: ftp://a.example"],
    [["--token-file", "/dev/null/x"], "error: The token file cannot be read: "],
    [["--token", "x"], "error: unknown option '--token'"],
    [["more"], "error: too many arguments for 'list'"],
  ])("used wrongly: 2, %j", async (args, message) => {
    const { code, out, err } = await list(args);
    expect({ code, out, err }).toEqual({ code: 2, out: "", err: expect.stringContaining(message) });
  });
});

test("what a name brings along does not move the reader's cursor", async () => {
  const { out } = await list();
  expect(out).toContain(String.raw`a.example.com\u{1b}[2J`);
  expect(out).not.toContain("\u001b");
});
