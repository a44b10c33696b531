import { afterEach, expect, test } from "bun:test";
import { startFakeLiveKit, type FakeLiveKit } from "../support/fake-livekit";
import { Fleet } from "../support/fleet";
import { RECORDED_KEY } from "../support/recordings";

let fleet: Fleet | undefined;
let livekit: FakeLiveKit | undefined;

afterEach(async () => {
  await fleet?.end();
  await livekit?.stop();
});

test("of three servers that start together one provisions at a time: one trunk, one rule, and nothing to withdraw", async () => {
  livekit = await startFakeLiveKit({ apiSecret: RECORDED_KEY.apiSecret, apiKey: RECORDED_KEY.apiKey });
  // Long enough for all of them to be there: without the lock each of them would find nothing and create its own.
  livekit.inject({ times: 8, at: "request", run: () => Bun.sleep(100) });
  fleet = await Fleet.start({
    instances: 3,
    tenants: ["a"],
    sip: { provision: true, allowed_addresses: ["203.0.113.0/24"] },
    config: {
      livekit: { url: livekit.url, api_key: RECORDED_KEY.apiKey, api_secret: RECORDED_KEY.apiSecret },
    },
  });
  for (const { server } of fleet.instances) await server?.waitUntilReady();
  expect([livekit.state.trunks.size, livekit.state.rules.size]).toEqual([1, 1]);
  const methods = livekit.requests.map(({ method }) => method.replace("SIP/", ""));
  expect(methods.filter((method) => !method.startsWith("List"))).toEqual([
    "CreateSIPInboundTrunk",
    "CreateSIPDispatchRule",
  ]);
  expect(livekit.unexpected).toEqual([]);
}, 240_000);
