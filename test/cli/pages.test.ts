import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { runCli } from "./run-cli";

/** What is on several pages, as the API gives it; what was asked for is in `asked`. */
let service: ReturnType<typeof Bun.serve>;
let asked: string[] = [];

beforeAll(() => {
  service = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname, searchParams } = new URL(request.url);
      const body = request.method === "POST" ? ((await request.json()) as Record<string, unknown>) : {};
      asked.push(`${pathname} ${JSON.stringify({ ...Object.fromEntries(searchParams), ...body })}`);
      const cursor = Number(searchParams.get("cursor") ?? body["cursor"] ?? 0);
      const more = cursor < 2 ? { next: String(cursor + 1) } : {};
      const limit = Number(searchParams.get("limit"));
      if (pathname === "/sip/deliveries") {
        const row = { hook: {}, state: "dead", event: "e", room_sid: "RM", queued_at: "", attempt_count: 0 };
        return Response.json({ deliveries: Array.from({ length: limit }, (_, id) => ({ id, ...row })), ...more });
      }
      if (pathname === "/sip/replay") {
        if (body["call"] === "RM_breaks" && cursor === 1) return new Response("bad gateway", { status: 502 });
        return Response.json({ queued: 10_000, pending: 1, unwanted: 0, dry_run: false, ...more });
      }
      const event = { webhook_id: `EV_${cursor}`, event: "e", received_at: AT, state: "routed", deliveries: [] };
      const gap = { delivery: cursor, webhook_id: "EV", event: "e", hook: {}, state: "dead" };
      const call = { room_sid: "RM", room: "r", began_at: AT, hooks: [], participants: [], state: "active" };
      return Response.json({ call: { ...call, events: [event], gaps: [gap] }, ...more });
    },
  });
});

afterAll(() => service.stop(true));

beforeEach(() => {
  asked = [];
});

const AT = "2026-11-21T22:50:00.000Z";
const url = () => `http://127.0.0.1:${service.port}`;
const cli = async (...args: string[]) => {
  const { code, out, err } = await runCli(args, { env: { SAYNA_SIP_URL: url() } });
  return { code, err, json: JSON.parse(out) as Record<string, unknown> };
};

test("a list is as long as --limit, from as many pages as it takes, and says that there are more", async () => {
  const { json, err } = await cli("deliveries", "list", "--failed", "--limit", "700", "--json");
  expect(json["next"]).toBe("2");
  expect(json["deliveries"]).toHaveLength(700);
  expect(err).toBe("There are more; --limit is 700.\n");
  expect(asked).toEqual([
    '/sip/deliveries {"state":"dead,expired,cancelled","limit":"500"}',
    '/sip/deliveries {"state":"dead,expired,cancelled","limit":"200","cursor":"1"}',
  ]);
});

test("a call has the events and gaps of all its pages", async () => {
  const { json, code } = await cli("calls", "show", "RM", "--json");
  const ids = [0, 1, 2];
  expect({ code, json }).toMatchObject({
    code: 1,
    json: {
      call: { events: ids.map((n) => ({ webhook_id: `EV_${n}` })), gaps: ids.map((delivery) => ({ delivery })) },
    },
  });
});

test("a replay goes on until nothing is left, with the same selection, and tells the sum", async () => {
  const { json } = await cli("replay", "--hook", "a.example.com", "--json");
  expect(json).toEqual({ queued: 30_000, pending: 3, unwanted: 0, dry_run: false });
  expect(asked).toEqual([
    '/sip/replay {"hook":"a.example.com"}',
    '/sip/replay {"hook":"a.example.com","cursor":"1"}',
    '/sip/replay {"hook":"a.example.com","cursor":"2"}',
  ]);
});

test("a replay that breaks off says how far it came, since what is queued stays queued", async () => {
  const { code, out, err } = await runCli(["replay", "--call", "RM_breaks"], { env: { SAYNA_SIP_URL: url() } });
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(err.split("\n")[0]).toBe(
    "Before it broke off: 10000 queued again. What is pending is left alone by another replay.",
  );
});
