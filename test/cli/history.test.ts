import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { recordedWebhooks } from "../support/recordings";
import { World } from "../support/world";
import { runCli, startCli, steady, type CliOptions } from "./run-cli";

const CALL = "RM_3TCyT7wmZNFk";
const HOOK = "tenant-a.example.com";
const recorded = recordedWebhooks("answered-call");

let world: World;
let refused = 0;

/** The first `participant_joined` is refused three times: it is given up, and the call goes on without it. */
beforeAll(async () => {
  world = await World.start({
    tenants: { a: [{ host: HOOK, auth_id: "tenant-a" }] },
    receivers: {
      a: {
        respond: ({ body }) => {
          const isJoin = body.toString().includes('"event":"participant_joined"');
          return isJoin && refused++ < 3 ? { status: 422, body: "no \u001b[31msuch field" } : {};
        },
      },
    },
    sip: { delivery: { schedule: ["600ms", "600ms", "600ms"] } },
  });
  await world.replay(recorded);
  await world.send(JSON.stringify(unmatchedEvent()));
  const settled = async () => {
    const { deliveries } = JSON.parse((await cli(["deliveries", "list", "--state", "pending", "--json"])).json) as {
      deliveries: unknown[];
    };
    return deliveries.length === 0;
  };
  const deadline = Date.now() + 15_000;
  while (!(await settled())) if (Date.now() > deadline) throw new Error("deliveries are still pending");
});

afterAll(() => world.end());

function unmatchedEvent() {
  const attributes = { "sip.h.to": "<sip:+1@later.example.com>;tag=x", "sip.callID": "SCL_later" };
  return {
    event: "participant_joined",
    id: "EV_later",
    room: { sid: "RM_later", name: "sip-later" },
    participant: { sid: "PA_later", identity: "sip_later", kind: "SIP", attributes },
  };
}

const cli = async (args: readonly string[], options: CliOptions = {}) => {
  const run = await runCli(args, { ...options, env: { SAYNA_SIP_URL: world.server.url } });
  return { ...run, out: steady(run.out), err: steady(run.err), json: run.out };
};

describe("calls", () => {
  test("list shows the calls that fit, the newest first", async () => {
    const { code, out } = await cli(["calls", "list", "--since", "1h", "--callee", "+15557654321"]);
    expect({ code, lines: out.split("\n") }).toEqual({
      code: 0,
      lines: ["CALL  BEGAN  LENGTH  FROM  TO  HOOKS", `${CALL}  <time>  <length>  +15550100  +15557654321  ${HOOK}`],
    });
    expect((await cli(["calls", "list", "--until", "2000-01-01T00:00:00Z"])).out).toBe("There are no such calls.");
    const more = await cli(["calls", "list", "--limit", "1"]);
    expect(more.err).toBe("There are more; --limit is 1.");
  });

  test("show draws the timeline, what did not arrive in it, and is 1 until that was sent again", async () => {
    const { code, out } = await cli(["calls", "show", CALL]);
    const lines = out.split("\n");
    expect(code).toBe(1);
    expect(lines.slice(0, 6)).toEqual([
      `call  ${CALL}`,
      "room  sip-_+15550100_mBGLkC9yAdGT",
      "began  <time>",
      "finished  <time> (<length>)",
      `hooks  ${HOOK} (tenant-a)`,
      `gaps  1 did not arrive: sayna-sip replay --call ${CALL}`,
    ]);
    const timeline = lines.filter((line) => line.includes("+<seconds>")).map((line) => line.trim());
    const told = (pattern: RegExp) => timeline.filter((line) => pattern.test(line)).map((line) => line.slice(12));
    expect(told(/(<-|##) .*participant_joined/)).toEqual([
      String.raw`tenant-a.example.com  <- participant_joined: attempt 1: 422 in <length>, no \u{1b}[31msuch field`,
      String.raw`tenant-a.example.com  <- participant_joined: attempt 2: 422 in <length>, no \u{1b}[31msuch field`,
      String.raw`tenant-a.example.com  <- participant_joined: attempt 3: 422 in <length>, no \u{1b}[31msuch field`,
      "tenant-a.example.com  ## GAP participant_joined: dead, the hook refused this event 3 times (delivery 2)",
      "tenant-a.example.com  <- participant_joined: 200 in <length>",
    ]);
    // How long it was held before its hook was known is told only when that was long: on a busy machine.
    expect(told(/room_started/).filter((line) => !line.includes("queued for"))).toEqual([
      expect.stringMatching(/^LiveKit {2}-> room_started \(made .* earlier\)$/),
      "sayna-sip  |  room_started: kept for tenant-a.example.com",
      "tenant-a.example.com  <- room_started: 200 in <length>",
    ]);
    expect(told(/\.\. participant_joined: waited <length>$/).length).toBeGreaterThanOrEqual(2);
    expect(timeline.at(-1)).toContain("<- room_finished: 200 in");
    expect(lines.some((line) => /^PA_ebGPCfguXNJb {2}\+15550100 -> \+15557654321/.test(line))).toBe(true);
  });

  test("show --json is the call as the API has it, all of its events in one document", async () => {
    const { call } = JSON.parse((await cli(["calls", "show", CALL, "--json"])).json) as {
      call: { room_sid: string; events: object[]; gaps: object[] };
    };
    expect(call).toMatchObject({ room_sid: CALL, gaps: [{ state: "dead", event: "participant_joined" }] });
    expect(call.events).toHaveLength(recorded.length);
  });

  test("a call that there is not: 1", async () => {
    expect(await cli(["calls", "show", "RM_none"])).toMatchObject({
      code: 1,
      out: "",
      err: "error: There is no such call (call_not_found, 404 from http://127.0.0.1:<port>)\nThose that you may see: sayna-sip calls list",
    });
  });

  test("follow prints a call that is over, and ends; with --json a line for each thing that happened", async () => {
    const { code, out } = await cli(["calls", "follow", CALL]);
    expect(code).toBe(0);
    expect(out.split("\n")[0]).toContain(`${CALL}  +<seconds>  LiveKit  -> room_started`);
    const lines = (await cli(["calls", "follow", CALL, "--json"])).json.trim().split("\n");
    const items = lines.map((line) => JSON.parse(line) as { kind: string; room_sid: string });
    expect(items.every((item) => item.room_sid === CALL)).toBe(true);
    const kinds = new Set(items.map(({ kind }) => kind).filter((kind) => kind !== "queued"));
    expect(kinds).toEqual(new Set(["event", "kept", "wait", "attempt", "gap"]));
  });

  test("follow tells of a new call as it comes, until it is interrupted: 0", async () => {
    const args = ["calls", "follow", "--json", "--interval", "1"];
    const following = startCli(args, { env: { SAYNA_SIP_URL: world.server.url } });
    const seen: { kind: string; room_sid: string; text: string }[] = [];
    const notes = following.stderr.getReader();
    await notes.read();
    const begun = Bun.sleep(0).then(async () => {
      for (const event of ["room_started", "room_finished"]) {
        await world.send(JSON.stringify({ event, id: `EV_new_${event}`, room: { sid: "RM_new", name: "sip-new" } }));
        const attributes = { "sip.h.to": `<sip:+1@${HOOK}>;tag=x` };
        const participant = { sid: "PA_new", identity: "sip_new", kind: "SIP", attributes };
        const joined = { event: "participant_joined", id: "EV_new_joined", room: { sid: "RM_new", name: "sip-new" } };
        if (event === "room_started") await world.send(JSON.stringify({ ...joined, participant }));
      }
    });
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of following.stdout) {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = parts.pop() ?? "";
      seen.push(...parts.map((line) => JSON.parse(line) as (typeof seen)[number]));
      if (seen.some(({ kind, text }) => kind === "attempt" && text.startsWith("room_finished"))) break;
    }
    following.kill("SIGINT");
    await begun;
    expect(await following.exited).toBe(0);
    expect(seen.every((item) => item.room_sid === "RM_new")).toBe(true);
    expect(seen.filter(({ kind }) => kind === "event").map(({ text }) => text.split(" ")[0])).toEqual([
      "room_started",
      "participant_joined",
      "room_finished",
    ]);
  });

  test.each([
    [["calls", "list", "--since", "yesterday"], "error: --since is no time: yesterday\nExamples: --since 2h"],
    [["calls", "list", "--state", "over"], "Allowed choices are active, finished."],
    [["calls", "show"], "error: missing required argument 'room-sid'"],
  ])("used wrongly: 2, %j", async (args, message) => {
    expect(await cli(args)).toMatchObject({ code: 2, out: "", err: expect.stringContaining(message) });
  });
});

describe("deliveries, replay", () => {
  test("list shows those that fit", async () => {
    const { code, out } = await cli(["deliveries", "list", "--failed", "--hook", HOOK]);
    expect({ code, lines: out.split("\n") }).toEqual({
      code: 0,
      lines: [
        "ID  QUEUED  STATE  EVENT  CALL  HOOK  ATTEMPTS  REASON",
        `2  <time>  dead  participant_joined  ${CALL}  ${HOOK}  3  the hook refused this event 3 times`,
      ],
    });
    const { deliveries } = JSON.parse((await cli(["deliveries", "list", "--call", CALL, "--json"])).json) as {
      deliveries: unknown[];
    };
    expect(deliveries).toHaveLength(recorded.length);
  });

  test("show tells each attempt, and is 1 for one that did not arrive", async () => {
    const { code, out } = await cli(["deliveries", "show", "2"]);
    expect(code).toBe(1);
    expect(out.split("\n").slice(0, 3)).toEqual([
      "delivery  2",
      "state  dead",
      "reason  the hook refused this event 3 times",
    ]);
    expect(out).toEndWith(String.raw`3  <time>  <length>  422  no \u{1b}[31msuch field`);
    expect((await cli(["deliveries", "show", "1"])).code).toBe(0);
    expect(await cli(["deliveries", "show", "4711"])).toMatchObject({ code: 1, err: expect.stringContaining("404") });
  });

  test("replay says what it would send, sends it, and then the call is whole", async () => {
    expect(await cli(["replay", "--hook", HOOK, "--since", "1h", "--dry-run"])).toMatchObject({
      code: 0,
      out: "Would be queued again: 1 delivery.",
    });
    expect((await cli(["deliveries", "replay", "2", "--dry-run", "--json"])).json).toBe(
      `${JSON.stringify({ queued: 1, pending: 0, unwanted: 0, dry_run: true }, null, 2)}\n`,
    );
    expect(await cli(["replay", "--call", CALL])).toMatchObject({ code: 0, out: "Queued again: 1 delivery." });
    const shown = await cli(["calls", "show", CALL]);
    expect(shown.code).toBe(0);
    expect(shown.out).toContain("participant_joined: queued again for tenant-a.example.com, as delivery");
    expect((await cli(["deliveries", "show", "2"])).out).toContain("sent again  as delivery");
  });

  test("a call that found no hook goes to the one that is added later", async () => {
    const url = "https://localhost:1/later";
    await cli(["hooks", "add", "later.example.com", url]);
    await world.send(
      JSON.stringify({ event: "room_finished", id: "EV_later_end", room: { sid: "RM_later", name: "sip-later" } }),
    );
    expect(await cli(["replay", "--unmatched", "--dry-run"])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Would be queued again: \d deliver(y|ies)\.$/),
    });
  });

  test("of the calls that found no hook those that get one hook only", async () => {
    const replayed = async (hook: string) => (await cli(["replay", "--unmatched", "--hook", hook, "--dry-run"])).out;
    expect(await replayed("Later.example.com")).toMatch(/^Would be queued again: [1-9]/);
    expect(await replayed(HOOK)).toBe("Would be queued again: 0 deliveries.");
  });

  test("what is pending for a paused hook says so, and cancel gives it up", async () => {
    await cli(["hooks", "pause", HOOK]);
    await cli(["deliveries", "replay", "1", "3"]);
    const { deliveries } = JSON.parse((await cli(["deliveries", "list", "--state", "pending", "--json"])).json) as {
      deliveries: { id: number }[];
    };
    const { out } = await cli(["deliveries", "show", String(deliveries[0]?.id)]);
    expect(out).toMatch(/^held back +its hook is paused$/m);
    expect(out).not.toContain("next try");
    const [second = "", first = ""] = (await cli(["deliveries", "list", "--state", "pending"])).out
      .split("\n")
      .slice(1);
    expect(first).toEndWith("  0  its hook is paused");
    expect(second).toEndWith(`  0  after delivery ${first.split(" ")[0]}, its hook is paused`);
    expect(await cli(["deliveries", "cancel", "--hook", HOOK])).toMatchObject({
      code: 0,
      out: "Cancelled: 2. What was under way may still arrive.",
    });
    expect(await cli(["deliveries", "cancel", "1", "--json"])).toMatchObject({
      code: 0,
      out: '{\n  "cancelled": 0\n}',
    });
    await cli(["hooks", "resume", HOOK]);
  });

  test.each([
    [["deliveries", "list", "--state", "lost"], "error: --state has one it does not know: lost"],
    [["deliveries", "list", "--failed", "--state", "dead"], "error: --failed is a --state: name one of them"],
    [["deliveries", "show", "first"], "It is a whole number, 1 or more."],
    [["deliveries", "replay", "x1"], "error: no delivery has this number: x1"],
    [["deliveries", "cancel"], "error: name what is to be cancelled: numbers, or --hook, or --call"],
    [["deliveries", "cancel", "1", "--hook", HOOK], "error: name what is to be cancelled"],
    [["replay"], "error: name what is to be sent again"],
    [["replay", "--unmatched", "--call", CALL], "error: --unmatched has --hook, --since, --until and --room beside it"],
    [["replay", "--hook", HOOK, "--room", "x"], "error: --room is for --unmatched"],
    [["replay", "--hook", HOOK, "--states", "lost"], "error: --states has one it does not know: lost"],
  ])("used wrongly: 2, %j", async (args, message) => {
    expect(await cli(args)).toMatchObject({ code: 2, out: "", err: expect.stringContaining(message) });
  });
});

describe("explain", () => {
  test("a To header and a host: what decides, and where it goes", async () => {
    const answer = await cli(["explain", `<sip:+15557654321@${HOOK}>`]);
    expect(answer).toMatchObject({ code: 0 });
    expect(answer.out.split("\n").slice(0, 5)).toEqual([
      `header  The header To says ${HOOK}.`,
      `matcher  exact-host chooses the hook of ${HOOK}.`,
      `hook  The hook of ${HOOK} is active; it wants participant_joined.`,
      "",
      "delivered: it goes to its hook",
    ]);
    expect((await cli(["explain", HOOK, "--json"])).json).toContain('"outcome": "delivered"');
  });

  test("an event from a file, and from the standard input", async () => {
    const file = join(world.directory, "event.json");
    await writeFile(file, recorded[1]?.body ?? "");
    expect(await cli(["explain", file])).toMatchObject({
      code: 0,
      out: expect.stringContaining("\nduplicate: its id is known"),
    });
    expect(await cli(["explain", "-"], { stdin: recorded[1]?.body ?? "" })).toMatchObject({ code: 0 });
    expect(await cli(["explain", "-"], { stdin: "{" })).toMatchObject({
      code: 1,
      err: expect.stringContaining("invalid_json"),
    });
  });

  test("what goes to no hook is 1", async () => {
    expect(await cli(["explain", "nobody.example.com"])).toMatchObject({
      code: 1,
      out: expect.stringContaining("\nno_match: no hook matches"),
    });
  });
});
