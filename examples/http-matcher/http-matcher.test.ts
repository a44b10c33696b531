import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { MatcherParts } from "sayna-sip";
import { createForTest, ManualClock, matchView, optionsTable, testMatcher } from "sayna-sip/testing";
import plugin from "./http-matcher";

const HOOKS = [{ host: "tenant-a.example.com", authId: "tenant-a" }];
const HOSTS: Readonly<Record<string, string>> = { "+1555": "tenant-a.example.com", "+1666": "gone.example.com" };

/** A directory, and what it was asked. */
function startDirectory() {
  const asked: { number: string; authorization: string | null }[] = [];
  const behaviour = { answer: (number: string): Response | Promise<Response> => known(number) };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      const number = decodeURIComponent(new URL(request.url).pathname.slice("/numbers/".length));
      asked.push({ number, authorization: request.headers.get("authorization") });
      return behaviour.answer(number);
    },
  });
  return { asked, behaviour, url: `http://127.0.0.1:${server.port}/numbers/{number}`, stop: () => server.stop(true) };
}

function known(number: string): Response {
  const host = HOSTS[number];
  return host === undefined ? new Response("unknown", { status: 404 }) : Response.json({ host });
}

let directory: ReturnType<typeof startDirectory>;
let clock: ManualClock;
let matcher: MatcherParts;

beforeEach(async () => {
  directory = startDirectory();
  clock = new ManualClock();
  matcher = await create();
});

afterEach(() => directory.stop());

const create = (options: Record<string, unknown> = {}) =>
  createForTest(plugin, {
    options: { url: directory.url, token: "env:TOKEN", ...options },
    env: { TOKEN: "s3cret" },
    clock,
  });

async function saysOf(number: string): Promise<string> {
  const answer = await matcher.match(matchView({ number }, HOOKS));
  return answer.kind === "hook" ? answer.hook.host : answer.kind;
}

testMatcher("http-numbers", {
  create: () => create(),
  hooks: HOOKS,
  cases: [
    { name: "a number that the directory knows", caller: { number: "+1555" }, answer: "tenant-a.example.com" },
    { name: "one that it does not know", caller: { number: "+1777" }, answer: "not-mine" },
    { name: "no number", caller: {}, answer: "not-mine" },
    { name: "a number whose hook is not there", caller: { number: "+1666" }, answer: "none" },
  ],
});

describe("the directory", () => {
  test("is asked with the token, once for all who ask meanwhile, and not again before its answer is old", async () => {
    const said = await Promise.all(Array.from({ length: 3 }, () => saysOf("+1555")));
    expect(new Set(said)).toEqual(new Set(["tenant-a.example.com"]));
    expect(directory.asked).toEqual([{ number: "+1555", authorization: "Bearer s3cret" }]);
    await clock.turn(5 * 60_000);
    await saysOf("+1555");
    expect(directory.asked).toHaveLength(1);
    await clock.turn(1);
    await saysOf("+1555");
    expect(directory.asked).toHaveLength(2);
  });

  test("is asked about an unknown number again after 30 s", async () => {
    await saysOf("+1777");
    await clock.turn(30_000);
    await saysOf("+1777");
    expect(directory.asked).toHaveLength(1);
    await clock.turn(1);
    await saysOf("+1777");
    expect(directory.asked).toHaveLength(2);
  });

  test("whose answer is remembered is answered without a promise", async () => {
    expect(matcher.match(matchView({ number: "+1555" }, HOOKS))).toBeInstanceOf(Promise);
    await saysOf("+1555");
    expect(matcher.match(matchView({ number: "+1555" }, HOOKS))).not.toBeInstanceOf(Promise);
  });

  test("may forget everything when an operator says so", async () => {
    await saysOf("+1555");
    const [route] = matcher.routes ?? [];
    expect(route?.handle({} as never)).toEqual({ forgotten: 1 });
    await saysOf("+1555");
    expect(directory.asked).toHaveLength(2);
  });
});

describe("what is no answer fails, so that the caller stays undecided, and is not remembered", () => {
  test.each<[string, () => Response | Promise<Response>]>([
    ["an error", () => new Response("oops", { status: 500 })],
    ["a redirect", () => Response.redirect("http://127.0.0.1:1/", 302)],
    ["no JSON", () => new Response("hello")],
    ["no host", () => Response.json({ hosts: [] })],
  ])("%s", async (_, answer) => {
    directory.behaviour.answer = answer;
    expect(saysOf("+1555")).rejects.toThrow();
    await saysOf("+1555").catch(() => {});
    directory.behaviour.answer = known;
    expect(await saysOf("+1555")).toBe("tenant-a.example.com");
  });

  test("nothing in time", async () => {
    const hanging = Promise.withResolvers<Response>();
    directory.behaviour.answer = () => hanging.promise;
    matcher = await create({ timeout: "50ms" });
    await expect(Promise.resolve(saysOf("+1555"))).rejects.toThrow(/timed out/);
    hanging.resolve(new Response());
  });

  test("nobody there", async () => {
    await directory.stop();
    await expect(Promise.resolve(saysOf("+1555"))).rejects.toThrow();
  });
});

test("a url without a place for the number is refused", () => {
  expect(create({ url: "http://127.0.0.1/numbers" })).rejects.toThrow("options.url must be a string that fits");
});

test("the README has every option", async () => {
  const readme = (await readFile(join(import.meta.dir, "README.md"), "utf8"))
    .replaceAll(/ +\|/g, " |")
    .replaceAll(/-+ \|/g, "--- |");
  expect(readme).toContain(optionsTable(plugin).join("\n"));
});
