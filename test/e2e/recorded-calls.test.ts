import { afterEach, describe, expect, test } from "bun:test";
import { Webhook } from "standardwebhooks";
import { recordedWebhooks, type RecordedWebhook } from "../support/recordings";
import { eventNames, quiet, World } from "../support/world";
import { saynaSignature } from "../../src/domain/signatures";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

let world: World | undefined;

afterEach(async () => {
  await world?.end();
  world = undefined;
});

describe("the recorded answered call", () => {
  test("seed: the exact JSON is posted to the hook of the To header's host: ten events byte for byte, in order, once, room_started first, signed", async () => {
    world = await World.start({
      tenants: { a: [{ host: "Tenant-A.example.com", auth_id: "tenant-a" }], b: [{ host: "tenant-b.example.com" }] },
      sip: { hook_secret: SECRET },
    });
    const call = recordedWebhooks("answered-call");
    await world.replay(call);
    const { requests } = world.tenant("a");
    await world.tenant("a").waitFor(10);
    await quiet([world.tenant("a"), world.tenant("b")]);

    expect(requests.map(({ body }) => body.toString())).toEqual(call.map(({ body }) => body));
    expect(eventNames(requests)[0]).toBe("room_started");
    expect(world.tenant("b").requests).toHaveLength(0);
    for (const request of requests) {
      expect(request.method).toBe("POST");
      expect(request.path).toBe("/a");
      expect(request.header("content-type")).toBe("application/webhook+json");
      expect(request.header("user-agent")).toStartWith("sayna-sip/");
      expect(request.header("authorization")).toBeUndefined();
      const id = request.header("webhook-id") ?? "";
      const timestamp = request.header("webhook-timestamp") ?? "";
      const headers = {
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        "webhook-signature": request.header("webhook-signature") ?? "",
      };
      expect(new Webhook(SECRET).verify(request.body.toString(), headers)).toMatchObject({ id });
      expect(request.header("x-sayna-event-id")).toBe(id);
      expect(request.header("x-sayna-timestamp")).toBe(timestamp);
      expect(request.header("x-sayna-signature-version")).toBe("v1");
      expect(request.header("x-sayna-signature")).toBe(saynaSignature(SECRET, id, Number(timestamp), request.body));
    }
  });

  test("a repetition of LiveKit's adds nothing", async () => {
    world = await World.start({ tenants: { a: [{ host: "tenant-a.example.com" }] } });
    const call = recordedWebhooks("answered-call");
    await world.replay(call.flatMap((webhook) => [webhook, webhook]));
    await world.tenant("a").waitFor(10);
    await quiet([world.tenant("a")]);
    expect(world.tenant("a").requests).toHaveLength(10);
  });

  test("restarted between any two events, in turn by SIGTERM and by kill -9, it is still complete and in order", async () => {
    world = await World.start({ tenants: { a: [{ host: "tenant-a.example.com" }] } });
    const call = recordedWebhooks("answered-call");
    for (const [i, webhook] of call.entries()) {
      await world.send(webhook.body);
      if (i % 2 === 0) expect(await world.server.stop()).toBe(0);
      else await world.server.killHard();
      await world.startAgain();
    }
    await quiet([world.tenant("a")], 1000);
    const ids = world.tenant("a").requests.map((request) => request.header("webhook-id"));
    expect([...new Set(ids)]).toEqual(call.map(({ json }) => String(json.id)));
  }, 240_000);

  const left = (event: string) => (webhook: RecordedWebhook) => webhook.json.event !== event;
  const withoutFirst = (event: string, webhooks: readonly RecordedWebhook[]) => {
    const first = webhooks.findIndex((webhook) => webhook.json.event === event);
    return webhooks.filter((_, i) => i !== first);
  };

  test.each([
    ["without room_started", (call: readonly RecordedWebhook[]) => call.filter(left("room_started"))],
    [
      "without the caller's participant_joined",
      (call: readonly RecordedWebhook[]) => withoutFirst("participant_joined", call),
    ],
    ["without any participant_joined", (call: readonly RecordedWebhook[]) => call.filter(left("participant_joined"))],
    [
      "with a second room_started of another node",
      (call: readonly RecordedWebhook[]) => [...call.slice(0, 5), again(call[0], "EV_second"), ...call.slice(5)],
    ],
    ["with an event after room_finished", (call: readonly RecordedWebhook[]) => [...call, egressEnded(call[0])]],
  ])("%s, all that came is delivered in order", async (_, change) => {
    world = await World.start({ tenants: { a: [{ host: "tenant-a.example.com" }] } });
    const call = change(recordedWebhooks("answered-call"));
    await world.replay(call);
    await world.tenant("a").waitFor(call.length);
    await quiet([world.tenant("a")]);
    expect(world.tenant("a").requests.map(({ body }) => body.toString())).toEqual(call.map(({ body }) => body));
  });
});

function again(webhook: RecordedWebhook | undefined, id: string) {
  return changed(webhook, { id });
}

function egressEnded(webhook: RecordedWebhook | undefined) {
  const room = webhook?.json.room as { sid: string; name: string };
  return changed(undefined, {
    event: "egress_ended",
    egressInfo: { egressId: "EG_1", roomId: room.sid, roomName: room.name, status: "EGRESS_COMPLETE" },
    id: "EV_egress",
    createdAt: "1795301430",
  });
}

function changed(webhook: RecordedWebhook | undefined, members: object): RecordedWebhook {
  const json = { ...webhook?.json, ...members };
  return { receivedAt: "", headers: {}, json, body: JSON.stringify(json) };
}

describe("the recorded To headers", () => {
  const tenants = {
    a: [{ host: "TENANT-A.example.com" }],
    b: [{ host: "tenant-b.example.com" }],
    c: [{ host: "tenant-c.example.com" }],
    v6: [{ host: "2001:DB8:0::9" }],
    v4: [{ host: "192.0.2.77" }],
    idn: [{ host: "bücher.example" }],
  };
  /** The tenant of each call by its From number, with `[To]` and with `[X-To-IP, To]`. */
  const expected: readonly (readonly [string, string | undefined, string | undefined])[] = [
    ["+15550101", "b", "b"],
    ["+15550102", "a", "a"],
    ["+15550103", "a", "a"],
    // tel: has no host; X-To-IP names one.
    ["+15550104", undefined, "c"],
    ["+15550105", "v6", "v6"],
    ["+15550106", "v4", "v4"],
    ["+15550108", "a", "a"],
    ["+15550109", undefined, undefined],
    ["+15550110", "a", "b"],
    ["+15550111", "a", "a"],
    ["+15550113", "b", "b"],
    ["+15550115", "idn", "idn"],
    ["+15550117", "a", "a"],
    ["+15550118", "a", "a"],
  ];

  test.each([
    [["To"], 1],
    [["X-To-IP", "To"], 2],
  ] as const)(
    "with host_headers %j each call reaches the tenant of its host, whole, or nobody",
    async (headers, column) => {
      world = await World.start({ tenants, sip: { host_headers: headers } });
      const webhooks = recordedWebhooks("to-headers");
      await world.replay(webhooks);
      const names = Object.keys(tenants);
      await quiet(names.map((name) => world?.tenant(name)).filter((receiver) => receiver !== undefined));

      const got = new Map<string, string[]>();
      for (const name of names) {
        for (const { body } of world.tenant(name).requests) {
          const { room } = JSON.parse(body.toString()) as { room: { name: string } };
          const from = room.name.split("_")[1] ?? "";
          got.set(from, [...(got.get(from) ?? []), name]);
        }
      }
      for (const row of expected) {
        const [from] = row;
        const tenant = row[column];
        const events = webhooks.filter(({ json }) => (json.room as { name: string }).name.includes(from));
        expect([from, got.get(from) ?? []]).toEqual([from, tenant === undefined ? [] : events.map(() => tenant)]);
      }
      const unmatched = world.server.lines.filter((line) => line.msg.startsWith("No SIP hook matches"));
      expect(unmatched).toHaveLength(expected.filter((row) => row[column] === undefined).length);
    },
  );
});

describe("the recorded conference", () => {
  test("each tenant gets its own caller, the outbound leg and the room, and nothing of the other's caller", async () => {
    world = await World.start({
      tenants: {
        a: [{ host: "tenant-a.example.com", auth_id: "tenant-a" }],
        b: [{ host: "tenant-b.example.com", auth_id: "tenant-b" }],
      },
    });
    const conference = recordedWebhooks("conference");
    await world.replay(conference);
    await quiet([world.tenant("a"), world.tenant("b")]);
    const about = (webhook: Pick<RecordedWebhook, "json">) =>
      (webhook.json.participant as { identity: string } | undefined)?.identity;
    const expectedFor = (other: string) =>
      conference.filter((webhook) => about(webhook) !== other).map(({ body }) => body);
    const got = (name: string) => world?.tenant(name).requests.map(({ body }) => body.toString());
    expect(got("a")).toEqual(expectedFor("sip_+15550602"));
    expect(got("b")).toEqual(expectedFor("sip_+15550601"));
    expect(got("b")?.join("")).not.toContain("+15550601");
  });
});

test("a caller that comes after others gets what was held meanwhile, in order", async () => {
  world = await World.start({ tenants: { a: [{ host: "tenant-a.example.com" }] } });
  const [started, joined, ...rest] = recordedWebhooks("answered-call");
  const agents = rest.filter(
    ({ json }) => (json.participant as { identity?: string } | undefined)?.identity === "agent-1",
  );
  await world.replay([started, ...agents].filter((webhook) => webhook !== undefined));
  await quiet([world.tenant("a")]);
  expect(world.tenant("a").requests).toHaveLength(0);
  if (joined !== undefined) await world.send(joined.body);
  await world.tenant("a").waitFor(agents.length + 2);
  const expected = [started, ...agents, joined].map((webhook) => webhook?.body);
  expect(world.tenant("a").requests.map(({ body }): string | undefined => body.toString())).toEqual(expected);
});

test("seed: rooms without the prefix are answered 200 and not kept; with no hooks the handler does nothing", async () => {
  world = await World.start({ tenants: {} });
  await world.replay(recordedWebhooks("answered-call"));
  expect(world.server.text()).not.toContain("unmatched");
  const other = { event: "room_started", room: { sid: "RM_x", name: "meeting" }, id: "EV_x", createdAt: "1" };
  await world.send(JSON.stringify(other));
});

test("seed: forwarding is asynchronous: a hook that hangs does not hold back the acknowledgement", async () => {
  world = await World.start({ tenants: { a: [{ host: "tenant-a.example.com" }] } });
  world.tenant("a").respondWith(() => "hang");
  const begun = Date.now();
  await world.replay(recordedWebhooks("answered-call"));
  // The attempt lasts until its deadline of 10 s.
  expect(Date.now() - begun).toBeLessThan(8_000);
  await world.tenant("a").waitFor(1);
});
