import { describe, expect, test } from "bun:test";
import { doctorWorld } from "./doctor-world";

const world = doctorWorld();
const { expectFound, writeConfiguration, trunk, rule } = world;

describe("of LiveKit it finds exactly what is wrong", () => {
  const spoil: [string, () => void, string[]][] = [
    ["no Redis", () => (world.livekit.state.redis = false), ["problem livekit_no_redis"]],
    ["a clock 2 minutes behind", () => (world.livekit.state.clockAheadMs = -120_000), ["problem clock_differs"]],
    ["a clock 2 minutes ahead", () => (world.livekit.state.clockAheadMs = 120_000), ["problem clock_differs"]],
    ["a clock 20 s ahead", () => (world.livekit.state.clockAheadMs = 20_000), ["warning clock_drifts"]],
    ["no trunk", () => world.livekit.state.trunks.clear(), ["problem trunk_missing"]],
    ["no rule", () => world.livekit.state.rules.clear(), ["problem rule_missing"]],
    [
      "two trunks",
      () => world.livekit.state.trunks.set("ST_z", { ...trunk(), sip_trunk_id: "ST_z" }),
      ["problem trunk_several"],
    ],
    ["headers not mapped", () => (trunk()["headers_to_attributes"] = {}), ["problem headers_not_mapped"]],
    ["an address missing", () => (trunk()["allowed_addresses"] = ["203.0.113.0/24"]), ["problem allowlist_differs"]],
    [
      "an address too many",
      () => (trunk()["allowed_addresses"] = ["203.0.113.0/24", "198.51.100.7/32", "192.0.2.1"]),
      ["warning allowlist_wider"],
    ],
    [
      "a rule of other rooms",
      () => (rule()["rule"] = { dispatch_rule_individual: { room_prefix: "call-" } }),
      ["problem rule_other_rooms"],
    ],
    ["a rule that is not tied", () => (rule()["trunk_ids"] = []), ["problem rule_not_tied"]],
    ["rooms for two", () => (rule()["room_config"] = { max_participants: 2 }), ["warning rule_other_capacity"]],
    [
      "a trunk of a number",
      () => world.livekit.state.trunks.set("ST_z", { sip_trunk_id: "ST_z", name: "sales", numbers: ["+15550001"] }),
      ["warning other_trunk_first"],
    ],
    [
      "another trunk without numbers",
      () =>
        world.livekit.state.trunks.set("ST_z", { sip_trunk_id: "ST_z", name: "old", allowed_addresses: ["192.0.2.9"] }),
      ["problem other_trunk_ambiguous"],
    ],
    [
      "a rule without trunks",
      () => world.livekit.state.rules.set("SDR_z", { sip_dispatch_rule_id: "SDR_z", name: "catch-all", trunk_ids: [] }),
      ["warning open_rule"],
    ],
    [
      "another rule of our trunk",
      () => {
        const kind = { dispatch_rule_direct: { room_name: "lobby" } };
        const other = { sip_dispatch_rule_id: "SDR_z", name: "lobby", trunk_ids: rule()["trunk_ids"], rule: kind };
        world.livekit.state.rules.set("SDR_z", other);
      },
      ["problem other_rule_first"],
    ],
    [
      "two things at a time",
      () => {
        trunk()["headers_to_attributes"] = {};
        trunk()["allowed_addresses"] = ["203.0.113.0/24"];
      },
      ["problem headers_not_mapped", "problem allowlist_differs"],
    ],
  ];

  test.each(spoil)("%s", async (_, makeWrong, expected) => {
    makeWrong();
    await expectFound(expected);
  });

  test("another secret", async () => {
    await expectFound(["problem livekit_wrong_key"], [], { LIVEKIT_API_SECRET: "another-secret-another-secret-00" });
  });

  test("no credentials", async () => {
    const config = await writeConfiguration({ provision: true }, { livekit: { url: world.livekit.url } });
    await expectFound(["problem livekit_credentials_missing"], ["--config", config]);
  });

  test("nobody at its address", async () => {
    await expectFound(["problem livekit_unreachable"], [], { LIVEKIT_URL: "ws://127.0.0.1:1" });
  });

  test("a trunk of the called number loses that call, and no other", async () => {
    world.livekit.state.trunks.set("ST_z", { sip_trunk_id: "ST_z", name: "sales", numbers: ["+1 (555) 0001"] });
    const call = (number: string) => `<sip:${number}@tenant-a.example.com>;tag=x`;
    await expectFound(["problem other_trunk_first", "warning host_no_calls"], [call("+15550001")]);
    await expectFound(["warning host_no_calls"], [call("+15550002")]);
  });

  test("with provision: false trunk and rule are judged by what they do, whatever their names", async () => {
    const config = await writeConfiguration({ provision: false });
    Object.assign(trunk(), { name: "by terraform" });
    Object.assign(rule(), { name: "by terraform" });
    await expectFound([], ["--config", config]);
    trunk()["headers_to_attributes"] = {};
    await expectFound(["problem headers_not_mapped"], ["--config", config]);
    rule()["rule"] = { dispatch_rule_individual: { room_prefix: "call-" } };
    await expectFound(["problem rule_missing"], ["--config", config]);
  });
});

describe("--live finds exactly what is wrong", () => {
  test("a LiveKit that sends its webhooks elsewhere, or nowhere", async () => {
    world.livekit.state.webhooks = { urls: [] };
    await expectFound(["problem no_webhook"], ["--live", "--wait", "1"]);
    expect(world.livekit.state.rooms.size).toBe(0);
  });

  test("a LiveKit that signs them with another key", async () => {
    world.livekit.state.webhooks = { urls: [world.server.url], key: { apiKey: "other", apiSecret: "other-secret" } };
    await expectFound(["problem no_webhook"], ["--live", "--wait", "1"]);
  });

  test("webhooks that come late", async () => {
    world.livekit.state.webhooks = { urls: [world.server.url], delayMs: 2_100 };
    const findings = await expectFound(["warning webhooks_late"], ["--live"]);
    expect(findings.at(-1)?.what).toMatch(/late: room_started did 2\.\d s after the room was made\.$/);
  });

  test("a LiveKit that makes no room", async () => {
    world.livekit.inject({
      method: "RoomService/CreateRoom",
      at: "request",
      answer: { status: 503, body: "no nodes" },
    });
    await expectFound(["problem room_not_made"], ["--live"]);
  });

  test("a room that cannot be deleted", async () => {
    world.livekit.inject({ method: "RoomService/DeleteRoom", at: "request", answer: { status: 500, body: "" } });
    await expectFound(["warning room_not_deleted"], ["--live"]);
  });
});
