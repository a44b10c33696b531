import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Signers } from "../../plugins/webhook-forwarder/dispatcher/read-signers";
import { TEST_HEADER } from "../../plugins/webhook-forwarder/hook-test/example-event";
import { judgeAttempt } from "../../src/domain/retry-policy";
import { deliveredHeaders, type ReceivedRequest } from "../support/received-request";
import { recordedWebhooks } from "../support/recordings";
import { temporaryDirectory } from "../support/server-process";
import { KEY, KEY_TEXT, OURS, SECRET, signedHeaders, THEIRS } from "../support/signers";
import { testCa } from "../support/test-ca";
import { World } from "../support/world";
import { codeBlock, quoted, ROOT, section, tableRows } from "./readme";
import { startReceiver, type RunningReceiver } from "./running-receiver";

const CALL = recordedWebhooks("answered-call");

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  directory = await temporaryDirectory();
});

afterAll(async () => {
  await directory.remove();
});

/** The README's receiver with one of its `verify.ts`, in a directory of its own, as a reader would lay it out. */
async function layOut(verify: string): Promise<string> {
  const path = join(directory.path, verify.replaceAll(/\W/g, "-"));
  await mkdir(path);
  await writeFile(join(path, "receiver.ts"), codeBlock("receiver.ts"));
  await writeFile(join(path, "verify.ts"), codeBlock(verify));
  await symlink(join(ROOT, "node_modules"), join(path, "node_modules"));
  return path;
}

/** What the receiver of each `verify.ts` is run with: the shared secret, or the public key. */
const VARIANTS = [
  { verify: "verify.ts with standardwebhooks", knows: SECRET },
  { verify: "verify.ts by hand", knows: SECRET },
  { verify: "verify.ts with the public key", knows: KEY.publicKey },
];

describe.each(VARIANTS)("the receiver, $verify", ({ verify, knows }) => {
  let receiver: RunningReceiver;
  let world: World;
  let captured: readonly ReceivedRequest[];

  beforeAll(async () => {
    const path = await layOut(verify);
    const ca = await testCa();
    const { cert, key } = await ca.issue(["localhost"]);
    receiver = await startReceiver({ path, cert, key, ca: ca.cert, secret: knows });
    // The second tenant's receiver records what the same service sends: the deliveries that are changed below.
    world = await World.start({
      tenants: {
        a: [{ host: "tenant-a.example.com", url: receiver.url }],
        b: [{ host: "tenant-b.example.com" }],
      },
      sip: { hook_secret: SECRET, signing_key: KEY_TEXT },
    });
    await world.replay(CALL);
    await receiver.waitForLines(CALL.length);
    await world.replay(CALL.slice(0, 2).map(({ body }) => ({ body: ofTenantB(body) })));
    await world.tenant("b").waitFor(2);
    captured = world.tenant("b").requests;
  }, 240_000);

  afterAll(async () => {
    await world.end();
    await receiver.stop();
  });

  test("takes every event of a call that the service delivers, in order", () => {
    expect(receiver.lines.slice(0, CALL.length)).toEqual(
      CALL.map(({ json }) => `${String(json["event"])} of the room RM_3TCyT7wmZNFk`),
    );
  });

  const original = () => {
    const [request] = captured;
    if (request === undefined) throw new Error("nothing was captured");
    return { headers: deliveredHeaders(request), body: request.body };
  };

  test("takes a repetition without doing its work again", async () => {
    const { headers, body } = original();
    const before = receiver.lines.length;
    expect(await receiver.post(headers, body)).toBe(204);
    expect(await receiver.post(headers, body)).toBe(204);
    await receiver.waitForLines(before + 1);
    expect(receiver.lines.slice(before)).toEqual(["room_started of the room RM_tenantB"]);
  });

  test("refuses a changed body, and one that was parsed and written again", async () => {
    const { headers, body } = original();
    expect(await receiver.post(headers, Buffer.from(body.toString().replace("RM_tenantB", "RM_another")))).toBe(401);
    expect(await receiver.post(headers, Buffer.from(JSON.stringify(JSON.parse(body.toString()))))).toBe(401);
  });

  const signed = (signers: Signers, secondsAgo: number, replay = false) =>
    signedHeaders({ id: "EV_1", body: original().body }, { signers, secondsAgo, replay });

  test("refuses another secret's signature, and a delivery without one", async () => {
    const { body } = original();
    expect(await receiver.post(signed(THEIRS, 0), body)).toBe(401);
    expect(await receiver.post({}, body)).toBe(401);
  });

  test("refuses what was signed more than 300 s ago, or is to be signed later than that", async () => {
    const { body } = original();
    expect(await receiver.post(signed(OURS, 290), body)).toBe(204);
    expect(await receiver.post(signed(OURS, 310), body)).toBe(401);
    expect(await receiver.post(signed(OURS, -310), body)).toBe(401);
  });

  test("refuses a newer timestamp on an old signature", async () => {
    const { headers, body } = original();
    const later = String(Math.floor(Date.now() / 1000) + 5);
    expect(await receiver.post({ ...headers, "webhook-timestamp": later, "X-Sayna-Timestamp": later }, body)).toBe(401);
  });

  test("goes on after a request that broke off", async () => {
    const { headers, body } = original();
    await receiver.breakOff();
    expect(await receiver.post(headers, body)).toBe(204);
  });

  test("takes a replay", async () => {
    const { body } = original();
    expect(await receiver.post(signed(OURS, 0, true), body)).toBe(204);
  });

  test("the headers of a delivery, a replay and a test are those of the README's table", () => {
    const listed = tableRows(section("Headers"))
      .flatMap(([names = ""]) => quoted(names))
      .filter((name) => name.includes("-"));
    const sent = Object.keys(original().headers);
    const ofReplay = Object.keys(signed(OURS, 0, true)).filter((name) => !sent.includes(name));
    expect(ofReplay).toEqual(["X-Sayna-Replay"]);
    expect([...sent, ...ofReplay, TEST_HEADER].toSorted()).toEqual([...new Set(listed)].toSorted());
  });
});

/** The same event of another call, at the other tenant's host. */
function ofTenantB(body: string): string {
  return body
    .replaceAll("RM_3TCyT7wmZNFk", "RM_tenantB")
    .replaceAll("PA_", "PA_b")
    .replaceAll('"id":"EV_', '"id":"EV_b')
    .replaceAll("tenant-a.example.com", "tenant-b.example.com");
}

test("the receiver is right for a strict compiler", async () => {
  const path = join(directory.path, "types");
  await mkdir(path);
  await writeFile(join(path, "receiver.ts"), codeBlock("receiver.ts"));
  await writeFile(join(path, "verify.ts"), codeBlock("verify.ts with standardwebhooks"));
  await writeFile(join(path, "by-hand.ts"), codeBlock("verify.ts by hand"));
  await writeFile(join(path, "by-key.ts"), codeBlock("verify.ts with the public key"));
  await writeFile(join(path, "by-number.ts"), codeBlock("by-number.ts"));
  await writeFile(
    join(path, "tsconfig.json"),
    JSON.stringify({
      extends: join(ROOT, "tsconfig.json"),
      compilerOptions: { paths: { "sayna-sip": [join(ROOT, "src/index.ts")] } },
      include: ["*.ts"],
    }),
  );
  await symlink(join(ROOT, "node_modules"), join(path, "node_modules"));
  const compiler = Bun.spawn(
    [process.execPath, join(ROOT, "node_modules/typescript/bin/tsc"), "--noEmit", "-p", path],
    {
      stdout: "pipe",
      stderr: "inherit",
    },
  );
  const output = await new Response(compiler.stdout).text();
  expect({ output, code: await compiler.exited }).toEqual({ output: "", code: 0 });
}, 240_000);

test("the table of answers has the statuses that the service tells apart", () => {
  const [success, refusals, gone] = tableRows(section("Receiving hooks")).map(([answer = ""]) => answer);
  const statuses = Array.from({ length: 500 }, (_, i) => 100 + i);
  const judged = (verdict: string) => statuses.filter((status) => judgeAttempt(status) === verdict);
  expect(success).toBe("2xx");
  expect(judged("success")).toEqual(statuses.filter((status) => String(status).startsWith("2")));
  expect(refusals).toBe(judged("event").join(", "));
  expect(gone).toBe(judged("gone").join(", "));
});

test("the payload that it shows is a part of the recorded one", () => {
  const shown = JSON.parse(codeBlock("payload")) as object;
  const recorded = CALL.find(({ json }) => json["id"] === "EV_f774qPjJiNk2")?.json;
  expect(recorded).toMatchObject(
    JSON.parse(JSON.stringify(shown), (_, value: unknown) =>
      typeof value === "string" && value.endsWith("…")
        ? expect.stringMatching(new RegExp(`^${value.slice(0, -1)}`))
        : value,
    ) as object,
  );
});
