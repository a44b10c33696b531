import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { sendLikeLiveKit, sendWebhook } from "../support/livekit-sender";
import type { ReceivedRequest } from "../support/received-request";
import { makeUnwritable } from "../support/unwritable";
import { caller, webhookJson } from "../support/webhooks";
import { quiet, World } from "../support/world";

/** The tenant of which the first attempt for each call is under way, and the one that waits for its retry. */
const [A, B] = ["tenant-a.example.com", "tenant-b.example.com"];
const NAMES = ["room_started", "participant_joined", "track_published", "participant_left"];
const CALLS_OF_A = ["a0", "a1", "a2"];

let world: World;
let makeWritable: () => void;
/** Lets the attempts at A that are under way be answered. */
let answerA: () => void;

function webhooks(call: string, host: string): { id: string; body: string }[] {
  const room = { sid: `RM_${call}`, name: `sip-${call}` };
  return NAMES.map((name, n) => {
    const id = `EV_${call}_${n}`;
    const about = name.startsWith("room_") ? {} : { participant: caller(`PA_${call}`, host) };
    return { id, body: JSON.stringify(webhookJson(name, { room, id, ...about })) };
  });
}

const idsOf = (calls: readonly string[]): string[] => calls.flatMap((call) => NAMES.map((_, n) => `EV_${call}_${n}`));
const received = (tenant: string) => world.tenant(tenant).requests.map((request) => request.header("webhook-id") ?? "");
const ofCall = (call: string) => (id: string) => id.startsWith(`EV_${call}_`);

async function ready(): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${world.server.url}/health/ready`);
  return { status: response.status, body: await response.json() };
}

async function untilReceived(tenant: string, ids: readonly string[]): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!ids.every((id) => received(tenant).includes(id)) && Date.now() < deadline) await Bun.sleep(20);
  await quiet([world.tenant(tenant)]);
}

async function untilRetryIsWritten(host: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const response = await fetch(`${world.server.url}/sip/deliveries?hook=${host}&event=room_started`);
    const { deliveries } = (await response.json()) as { deliveries: { attempt_count: number }[] };
    if (deliveries[0]?.attempt_count === 1) return;
    if (Date.now() > deadline) throw new Error("the first attempt is not written down");
    await Bun.sleep(10);
  }
}

/** Three calls of A and one of B are kept; then nothing can be written any more. */
beforeEach(async () => {
  world = await World.start({
    tenants: { a: [{ host: A, auth_id: "a" }], b: [{ host: B, auth_id: "b" }] },
    sip: { delivery: { schedule: ["2s", "2s", "2s"] } },
  });
  const gate = new Promise<void>((resolve) => {
    answerA = resolve;
  });
  world.tenant("a").respondWith(async () => {
    await gate;
    return {};
  });
  world.tenant("b").respondWith((request: ReceivedRequest) => ({ status: request.order === 0 ? 503 : 200 }));
  for (const call of CALLS_OF_A) for (const { body } of webhooks(call, A)) await world.send(body);
  await world.tenant("a").waitFor(CALLS_OF_A.length);
  for (const { body } of webhooks("b0", B)) await world.send(body);
  await untilRetryIsWritten(B);
  makeWritable = makeUnwritable(world.server.pid);
});

afterEach(async () => {
  answerA();
  await world.end();
});

describe("while the files of the running service cannot be written", () => {
  test("events are refused in the way that makes LiveKit try longest, and readiness says why", async () => {
    const [event] = webhooks("a3", A);
    for (const wait of ["1", "2", "8", "15", "15"]) {
      const { status, retryAfter, body } = await sendWebhook(world.server.url, event?.body ?? "");
      expect([status, retryAfter]).toEqual([503, wait]);
      expect(JSON.parse(body)).toMatchObject({ error: { code: "not_kept" } });
    }
    expect(await ready()).toEqual({
      status: 503,
      body: { status: "not_ready", reasons: ["the storage cannot be written"] },
    });
    expect(world.server.lines.find(({ msg }) => msg === "A SIP event could not be kept")).toMatchObject({
      err: { code: "SQLITE_IOERR_WRITE" },
    });
  });

  test("what is due is sent, once; a call's next event waits until the outcome of the one before can be written", async () => {
    answerA();
    await world.tenant("b").waitFor(2, 10_000);
    await world.server.waitForLine("The outcome of a delivery could not be saved");
    await quiet([world.tenant("a"), world.tenant("b")], 2_500);
    expect(received("a").toSorted()).toEqual(CALLS_OF_A.map((call) => `EV_${call}_0`));
    expect(received("b")).toEqual(["EV_b0_0", "EV_b0_0"]);
  });
});

describe("when they can be written again", () => {
  test("it goes on by itself: all that was acknowledged arrives, each call in order, nothing twice", async () => {
    const [refused] = webhooks("a3", A).map(({ body }) => sendLikeLiveKit(() => world.server.url, body));
    answerA();
    await world.tenant("b").waitFor(2, 10_000);
    await world.server.waitForLine("The outcome of a delivery could not be saved");
    expect((await ready()).status).toBe(503);
    makeWritable();
    expect(await refused).toMatchObject({ delivered: true });
    for (const { body } of webhooks("a3", A).slice(1)) await world.send(body);
    const calls = [...CALLS_OF_A, "a3"];
    await untilReceived("a", idsOf(calls));
    await untilReceived("b", idsOf(["b0"]));
    for (const call of calls) expect(received("a").filter(ofCall(call))).toEqual(idsOf([call]));
    // The first one was answered 503.
    expect(received("b")).toEqual(["EV_b0_0", ...idsOf(["b0"])]);
    await world.server.waitUntilReady();
  }, 240_000);

  test("after a kill meanwhile only that is sent again whose outcome could not be written", async () => {
    answerA();
    await world.tenant("b").waitFor(2, 10_000);
    await world.server.waitForLine("The outcome of a delivery could not be saved");
    await quiet([world.tenant("a"), world.tenant("b")]);
    await world.server.killHard();
    await world.startAgain();
    await untilReceived("a", idsOf(CALLS_OF_A));
    await untilReceived("b", idsOf(["b0"]));
    for (const call of CALLS_OF_A) {
      expect(received("a").filter(ofCall(call))).toEqual([`EV_${call}_0`, ...idsOf([call])]);
    }
    expect(received("b")).toEqual(["EV_b0_0", "EV_b0_0", ...idsOf(["b0"])]);
  }, 240_000);
});
