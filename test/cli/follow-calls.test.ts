import { expect, test } from "bun:test";
import type { ApiClient } from "../../src/cli/api-client";
import { followCalls } from "../../src/cli/calls/follow-calls";
import { CommandError } from "../../src/cli/command-error";
import { createOutput } from "../../src/cli/output";

const AT = new Date().toISOString();
const MANY = Array.from({ length: 120 }, (_, i) => `RM_${i}`);

/**
 * Follows `MANY` calls that never finish, of which `gone` has been removed, and one that comes after them. Returns the sids of
 * what was told within ten turns, and how many calls each turn read.
 */
async function follow(gone?: string) {
  const ended = new AbortController();
  const told: string[] = [];
  const reads: number[] = [];
  let turn = -1;
  function get(path: string, query: Readonly<Record<string, unknown>> = {}): unknown {
    if (path === "/sip/calls") {
      if (query["state"] === "active") return { calls: MANY.map((sid) => ({ room_sid: sid })) };
      turn++;
      reads.push(0);
      if (turn > 10) ended.abort();
      return { calls: turn === 0 ? [] : [{ room_sid: "RM_new" }] };
    }
    const sid = path.split("/").at(-1) ?? "";
    reads[turn] = (reads[turn] ?? 0) + 1;
    if (turn > 0 && sid === gone) {
      throw new CommandError("There is no such call", { json: { error: { code: "call_not_found" } } });
    }
    const event = { webhook_id: `EV_${sid}`, event: "e", received_at: AT, state: "held", deliveries: [] };
    const call = { room_sid: sid, room: "r", began_at: AT, hooks: [], participants: [], events: [event], gaps: [] };
    return { call };
  }
  const api: ApiClient = {
    url: "http://127.0.0.1:1",
    get: async <Answer>(path: string, query?: Readonly<Record<string, unknown>>) => get(path, query) as Answer,
    send: () => Promise.reject(new Error("nothing is sent")),
  };
  const stdout = {
    write: (line: string) => {
      told.push((JSON.parse(line) as { room_sid: string }).room_sid);
    },
  };
  const output = createOutput({ json: true, stdout, stderr: { write: () => {} } });
  await followCalls(api, output, { roomSid: undefined, hook: undefined, intervalMs: 0, signal: ended.signal });
  return { told: new Set(told), mostReads: Math.max(...reads.slice(1)) };
}

test("a new call is told of however many there are that never finish, and no turn reads all of them", async () => {
  const { told, mostReads } = await follow();
  expect(told).toEqual(new Set(["RM_new"]));
  expect(mostReads).toBeLessThanOrEqual(50);
});

test("a call that retention has removed does not end the telling of the others", async () => {
  expect((await follow("RM_3")).told).toEqual(new Set(["RM_new"]));
});
