import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { recordedWebhooks } from "../support/recordings";
import { quiet, World } from "../support/world";
import { curlRequests, sendCurlRequest } from "./curl-requests";
import { codeBlock, quoted, section, tableRows } from "./readme";

const TOKENS = { OPS: "the-operators-token", TENANT_A: "the-tenants-token" };
const SALES = "sales.tenant-a.example.com";
const CALL = recordedWebhooks("answered-call").map(({ body }) => body);

let world: World;

beforeAll(async () => {
  world = await World.start({
    tenants: { a: [{ host: "tenant-a.example.com", auth_id: "tenant-a" }] },
    sip: {
      delivery: { schedule: ["20ms", "20ms", "20ms"] },
      allowed_addresses: ["203.0.113.0/24"],
      allowed_hook_ranges: ["127.0.0.0/8", "::1"],
      signing_key: `whsk_${Buffer.alloc(32, 9).toString("base64")}`,
    },
    config: {
      auth: {
        required: true,
        api_secrets: [
          { id: "ops", secret: TOKENS.OPS },
          { id: "tenant-a", secret: TOKENS.TENANT_A, role: "tenant", hosts: ["*.tenant-a.example.com"] },
        ],
      },
    },
  });
  const tenant = world.tenant("a");
  tenant.respondWith(() => ({ status: 422, body: "the new release is broken" }));
  await world.replay(CALL.map((body) => ({ body })));
  // Each event of it is refused three times.
  await tenant.waitFor(3 * CALL.length);
  tenant.respondWith(() => ({}));
  // A second call, whose host has no hook.
  await world.replay(CALL.map((body) => ({ body: toSales(body) })));
  await world.server.waitForLine("SIP events without a hook are listed as unmatched");
}, 240_000);

afterAll(async () => {
  await world.end();
});

function toSales(body: string): string {
  return body
    .replaceAll("RM_3TCyT7wmZNFk", "RM_sales")
    .replaceAll("PA_", "PA_sales")
    .replaceAll('"id":"EV_', '"id":"EV_sales')
    .replaceAll("tenant-a.example.com", SALES);
}

/** Runs the commands of a code block in order; each must answer the status that its comment says. */
async function run(block: string, before: Readonly<Record<number, () => Promise<void>>> = {}) {
  const answers = [];
  for (const [i, example] of curlRequests(codeBlock(block), TOKENS).entries()) {
    await before[i]?.();
    const { status, body } = await sendCurlRequest(world.server.url, example);
    expect(`${example.comment} -> ${status}`).toBe(`${example.comment} -> ${/: (\d{3})\b/.exec(example.comment)?.[1]}`);
    answers.push(body);
  }
  return answers;
}

async function addHook(host: string): Promise<void> {
  const answer = await fetch(`${world.server.url}/sip/hooks`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKENS.OPS}`, "content-type": "application/json" },
    body: JSON.stringify({ hooks: [{ host, url: world.tenant("a").url("/added"), auth_id: "tenant-a" }] }),
  });
  expect(answer.status).toBe(200);
}

const shown = (block: string): unknown => JSON.parse(codeBlock(block));

test("what did not arrive is listed, looked at and sent again with the commands of the README", async () => {
  const tenant = world.tenant("a");
  const before = tenant.requests.length;
  const answers = await run("not-arrived", {
    5: () => addHook(SALES),
    // What is delivered by then is not cancelled.
    7: () => quiet([tenant]),
  });
  const [list, one, unmatched, dryRun, replayed, ofOneHook, routed, cancelled] = answers;
  expect(answers).toHaveLength(8);
  expect(list?.["deliveries"]).toHaveLength(CALL.length);
  expect(one).toMatchObject({ delivery: { state: "dead", attempts: [{ status: 422 }, {}, {}] } });
  expect(unmatched?.["unmatched"]).toHaveLength(CALL.length);
  expect(dryRun).toEqual({ ...replayed, dry_run: true });
  expect(replayed).toEqual(shown("replayed") as Record<string, unknown>);
  expect(ofOneHook).toMatchObject({ queued: CALL.length, dry_run: true });
  expect(routed).toMatchObject({ queued: CALL.length });
  expect(cancelled).toEqual({ cancelled: 0 });
  const again = tenant.requests.slice(before);
  expect(again).toHaveLength(2 * CALL.length);
  expect(again.filter((request) => request.header("x-sayna-replay") !== "true")).toEqual([]);
});

test("the calls are found, and one has all that the table says", async () => {
  const [byNumber, byCallId, one] = await run("calls");
  const both = { calls: [{ room_sid: "RM_sales" }, { room_sid: "RM_3TCyT7wmZNFk" }] };
  expect(byNumber).toMatchObject(both);
  expect(byCallId).toMatchObject(both);
  const { call } = one as { call: { events: object[]; gaps: object[] } };
  const text = JSON.stringify(call);
  const names = tableRows(section("What happened to a call")).flatMap((cells) => cells.flatMap(quoted));
  const optional = ["held", "unmatched", "next_try", "delayed_by", "waits_for"];
  expect(names.filter((name) => !text.includes(`"${name}"`))).toEqual(optional);
  expect(call.events).toHaveLength(CALL.length);
  expect(call.gaps).toHaveLength(CALL.length);
});

test("the explanation is the one that the README shows", async () => {
  expect(await run("explain")).toEqual([shown("explained") as Record<string, unknown>]);
});

test("anybody may have the public keys, in the form that the README shows", async () => {
  const [answer] = await run("fetch-keys");
  const { keys } = shown("signing-keys") as { keys: { key: string }[] };
  const anyKey = expect.stringMatching(/^whpk_[\w+/]{43}=$/);
  expect(answer).toEqual({ keys: keys.map((key) => ({ ...key, key: anyKey })) });
  expect(keys.map(({ key }) => key)).toEqual([anyKey]);
});

describe("the forwarding table's versions", () => {
  test("are listed, compared and gone back to", async () => {
    await addHook("support.tenant-a.example.com");
    const [list, difference, table] = await run("versions");
    expect(list).toMatchObject({ versions: [{ version: 2 }, { version: 1 }] });
    expect(difference).toMatchObject({ from: 1, to: 2, hosts: [{ host: "support.tenant-a.example.com" }] });
    expect(table).toMatchObject({ hooks: [{ host: "tenant-a.example.com" }, { host: SALES }] });
  });
});
