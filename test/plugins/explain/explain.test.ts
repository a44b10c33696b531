import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../src/domain/json";
import { callerOf, OPS, StartedService } from "../../support/started-service";

let it: StartedService;

beforeEach(async () => {
  it = await StartedService.start();
});

afterEach(() => it.end());

describe("explain", () => {
  const explain = async (body: unknown, token = OPS) => (await it.post("/sip/explain", body, token)).json;
  const room = { sid: "RM_a", name: "sip-RM_a" };

  test("a To header: what it says, which matcher chooses which hook, and that it wants it", async () => {
    expect(await explain({ to: "<sip:+1555@ONE.a.example.com:5060>;tag=x" })).toEqual({
      outcome: "delivered",
      hooks: [
        { host: "one.a.example.com", auth_id: "tenant-a", state: "active", wants_event: true, earlier_events: 0 },
      ],
      steps: [
        { step: "header", message: "The header To says one.a.example.com." },
        { step: "matcher", message: "exact-host chooses the hook of one.a.example.com." },
        { step: "hook", message: "The hook of one.a.example.com is active; it wants participant_joined." },
      ],
    });
  });

  test.each([
    ["bad host%", '"bad host%" is no host: a host is a name such as sip.example.com, or an IP address.'],
    ["", '"" is no host: a host is a name such as sip.example.com, or an IP address.'],
    [
      "*.tenant-b.example.com",
      '"*.tenant-b.example.com" is a hook\'s pattern, and no host that is called: name one below it.',
    ],
  ])("%j is said to be no host", async (host, message) => {
    const { outcome, steps } = (await explain({ host })) as { outcome: string; steps: object[] };
    expect([outcome, steps[0]]).toEqual(["no_match", { step: "header", message }]);
    expect(JSON.stringify(steps)).not.toContain("There is no header");
  });

  test.each<[string, object, string]>([
    ["a host", { host: "one.a.example.com." }, "delivered"],
    ["a host without a hook", { host: "x.example.com" }, "no_match"],
    ["no host", { host: "not a host" }, "no_match"],
    ["a To that can be read in two ways", { to: "<sip:a@b.example.com@one.a.example.com>" }, "no_match"],
    ["an event of another room", { event: { event: "room_started", room: { name: "other" } } }, "not_sip"],
    ["an event without a room", { event: {} }, "not_sip"],
    ["a room without a hook", { event: { event: "room_started", room: { sid: "RM_9", name: "sip-9" } } }, "held"],
    ["raw text", { event: '{"event":"room_started","room":{"sid":"RM_9","name":"sip-9"}}' }, "held"],
    [
      "a whole event",
      {
        event: {
          event: "participant_joined",
          room: { sid: "RM_9", name: "sip-9" },
          participant: callerOf("9", "one.b.example.com"),
        },
      },
      "delivered",
    ],
    [
      "somebody who is not of kind SIP, with a caller's attributes",
      {
        event: {
          event: "participant_joined",
          room: { sid: "RM_9", name: "sip-9" },
          participant: { ...callerOf("9", "one.b.example.com"), kind: "STANDARD" },
        },
      },
      "held",
    ],
  ])("%s", async (_, body, outcome) => {
    expect(await explain(body)).toMatchObject({ outcome });
  });

  test("a known room: its memory decides, and says how many earlier events would go first", async () => {
    await it.webhook("room_started", { room });
    const join = { event: "participant_joined", room, participant: callerOf("1", "one.a.example.com") };
    expect(await explain({ event: join })).toMatchObject({ outcome: "delivered", hooks: [{ earlier_events: 1 }] });
    await it.webhook("participant_joined", { room, participant: callerOf("1", "one.a.example.com") });
    expect(await explain({ event: { event: "room_finished", room } })).toMatchObject({
      outcome: "delivered",
      hooks: [{ host: "one.a.example.com", earlier_events: 0 }],
    });
    // Decided by its first event, and never again.
    const moved = { ...join, participant: callerOf("1", "one.b.example.com") };
    expect(await explain({ event: moved })).toMatchObject({ hooks: [{ host: "one.a.example.com" }] });
    const leg = { ...join, participant: callerOf("2", "x.example.com") };
    expect(await explain({ event: leg })).toMatchObject({
      outcome: "delivered",
      hooks: [{ host: "one.a.example.com" }],
    });
    // Nothing of all this was kept.
    const call = (await it.get("/sip/calls/RM_a")).json.call as { events: unknown[]; participants: unknown[] };
    expect([call.events.length, call.participants.length]).toEqual([2, 1]);
  });

  test("an id that is known adds nothing; a paused hook is said", async () => {
    const event = { event: "participant_joined", id: "EV_once", room, participant: callerOf("1", "one.a.example.com") };
    await it.webhook("participant_joined", event);
    expect(await explain({ event })).toMatchObject({ outcome: "duplicate", hooks: [] });
    await it.post("/sip/hooks/pause", { hosts: ["one.a.example.com"] });
    expect(await explain({ host: "one.a.example.com" })).toMatchObject({
      outcome: "delivered",
      hooks: [{ state: "paused" }],
    });
  });

  test.each([
    [{}, "invalid_request"],
    [{ to: "x", host: "y" }, "invalid_request"],
    [{ event: "[]" }, "invalid_json"],
    [{ event: "{" }, "invalid_json"],
    [{ event: 5 }, "invalid_request"],
  ])("%j is refused: %s", async (body, code) => {
    expect(await explain(body)).toMatchObject({ error: { code } });
  });
});

test("what the OpenAPI document asks first is answered as it shows", async () => {
  const hooks = [{ host: "tenant-a.example.com", url: "https://a.example/hook", auth_id: "tenant-a" }];
  const documented = await StartedService.start({ SIP_HOOKS_JSON: JSON.stringify(hooks) });
  try {
    const { paths } = (await documented.get("/openapi/json")).json as { paths: Record<string, { post: Operation }> };
    const { requestBody, responses } = paths["/sip/explain"]?.post ?? {};
    const [asked] = requestBody?.content["application/json"].schema.examples ?? [];
    const [shown] = responses?.["200"]?.content["application/json"].schema.examples ?? [];
    expect((await documented.post("/sip/explain", asked)).json).toEqual(shown ?? {});
  } finally {
    await documented.end();
  }
});

type Content = { content: { "application/json": { schema: { examples?: JsonObject[] } } } };
type Operation = { requestBody: Content; responses: Record<string, Content> };
