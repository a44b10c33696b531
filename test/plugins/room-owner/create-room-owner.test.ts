import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createRoomOwner, type RoomOwner, type RoomOwnerOptions } from "../../../plugins/room-owner";
import type { OwnerTask } from "../../../src/contracts/storage";
import { roomSid } from "../../../src/domain/ids";
import { Secret } from "../../../src/domain/secret";
import { startFakeLiveKit, type FakeLiveKit } from "../../support/fake-livekit";
import { ManualClock, settle } from "../../support/manual-clock";
import { recordingLog } from "../../support/recording-log";

let livekit: FakeLiveKit;
let clock: ManualClock;
let log: ReturnType<typeof recordingLog>;
let done: [name: string, authId: string, outcome: string][];
let owner: RoomOwner;

beforeEach(async () => {
  livekit = await startFakeLiveKit();
  clock = new ManualClock();
  log = recordingLog();
  done = [];
  owner = create();
});
afterEach(async () => {
  owner.stop();
  await livekit.stop();
  expect(livekit.unexpected).toEqual([]);
});

const create = (changes: Partial<RoomOwnerOptions> = {}): RoomOwner =>
  createRoomOwner({
    url: livekit.url.replace("http", "ws"),
    apiKey: livekit.apiKey,
    apiSecret: new Secret(livekit.apiSecret),
    clock,
    log,
    onDone: (task, outcome) => void done.push([task.roomName, task.authId, outcome]),
    ...changes,
  });

/** A task for the room of this name, whose sid is `RM_` and the name. */
const task = (roomName: string, authId = "tenant-a"): OwnerTask => ({ roomSid: sidOf(roomName), roomName, authId });
const sidOf = (name: string): OwnerTask["roomSid"] => roomSid(`RM_${name}`);
const addRoom = (name: string, metadata = "", sid: string = sidOf(name)): void => {
  livekit.state.rooms.set(name, { sid, name, metadata });
};
const metadataOf = (name: string): unknown => livekit.state.rooms.get(name)?.["metadata"];
const asked = (): string[] => livekit.requests.map(({ method }) => method.replace("RoomService/", ""));
const lines = (level: "warn" | "error"): string[] =>
  log.lines.filter((line) => line.level === level).map((line) => line.message);

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate);
}
const finished = (count = 1): Promise<void> => until(() => done.length === count);
const waitingFor = (ms: number): Promise<void> => until(() => clock.waits.includes(ms));

describe("a room of a hook with an auth_id", () => {
  test("without metadata gets the auth_id", async () => {
    addRoom("r");
    owner.claim(task("r"));
    await finished();
    expect(metadataOf("r")).toBe('{"auth_id":"tenant-a"}');
    expect(done).toEqual([["r", "tenant-a", "owned"]]);
    expect(asked()).toEqual(["ListRooms", "UpdateRoomMetadata"]);
    expect(livekit.requests[0]?.request).toEqual({ names: ["r"] });
    expect(lines("warn")).toEqual([]);
  });

  test("with a JSON object gets the auth_id merged, which is read back once", async () => {
    addRoom("r", '{"agent": {"n": 12345678901234567890}}');
    owner.claim(task("r"));
    await finished();
    expect(metadataOf("r")).toBe('{"agent": {"n": 12345678901234567890},"auth_id":"tenant-a"}');
    expect(done).toEqual([["r", "tenant-a", "owned"]]);
    expect(asked()).toEqual(["ListRooms", "UpdateRoomMetadata", "ListRooms"]);
  });

  test("whose metadata is overwritten while it is merged gets the auth_id once more", async () => {
    addRoom("r", '{"v":1}');
    livekit.inject({ method: "RoomService/UpdateRoomMetadata", at: "answer", run: () => addRoom("r", '{"v":2}') });
    owner.claim(task("r"));
    await finished();
    expect(metadataOf("r")).toBe('{"v":2,"auth_id":"tenant-a"}');
    expect(asked()).toEqual(["ListRooms", "UpdateRoomMetadata", "ListRooms", "UpdateRoomMetadata"]);
  });

  test("that reads back another auth_id is left to it, with a SECURITY warning", async () => {
    addRoom("r", '{"v":1}');
    const other = '{"auth_id":"tenant-b"}';
    livekit.inject({ method: "RoomService/UpdateRoomMetadata", at: "answer", run: () => addRoom("r", other) });
    owner.claim(task("r"));
    await finished();
    expect([metadataOf("r"), done]).toEqual([other, [["r", "tenant-a", "other owner"]]]);
    expect(lines("warn")).toEqual([expect.stringMatching(/^SECURITY: /)]);
  });

  test("that has it already is left alone", async () => {
    addRoom("r", '{"auth_id":"tenant-a"}');
    owner.claim(task("r"));
    await finished();
    expect(done).toEqual([["r", "tenant-a", "already owned"]]);
    expect(asked()).toEqual(["ListRooms"]);
    expect(lines("warn")).toEqual([]);
  });

  test("that belongs to another tenant is left alone, with one SECURITY warning", async () => {
    addRoom("r", '{"auth_id":"tenant-b"}');
    owner.claim(task("r"));
    await finished();
    expect(metadataOf("r")).toBe('{"auth_id":"tenant-b"}');
    expect(asked()).toEqual(["ListRooms"]);
    expect(log.lines.filter(({ level }) => level === "warn")).toEqual([
      {
        level: "warn",
        fields: { room: "r", room_sid: "RM_r", auth_id: "tenant-a", owner: "tenant-b" },
        message: "SECURITY: the room's metadata has another auth_id than its hook; it is left alone",
      },
    ]);
  });

  test.each(["plain text", "[1]", "7"])("with the metadata %s is left alone, with a warning", async (metadata) => {
    addRoom("r", metadata);
    owner.claim(task("r"));
    await finished();
    expect([metadataOf("r"), done]).toEqual([metadata, [["r", "tenant-a", "no JSON object"]]]);
    expect(lines("warn")).toEqual([
      "The room's metadata is no JSON object, so it cannot have an auth_id; it is left alone",
    ]);
  });

  test("that is gone is forgotten", async () => {
    owner.claim(task("r"));
    await finished();
    expect([done, asked()]).toEqual([[["r", "tenant-a", "gone"]], ["ListRooms"]]);
  });

  test("whose name another room has meanwhile is forgotten, and the other room not touched", async () => {
    addRoom("r", "", "RM_of_the_next_call");
    owner.claim(task("r"));
    await finished();
    expect([metadataOf("r"), done]).toEqual(["", [["r", "tenant-a", "gone"]]]);
  });

  test("that goes between look and write is forgotten", async () => {
    addRoom("r");
    livekit.inject({
      method: "RoomService/UpdateRoomMetadata",
      at: "request",
      run: () => livekit.state.rooms.clear(),
    });
    owner.claim(task("r"));
    await finished();
    expect(done).toEqual([["r", "tenant-a", "gone"]]);
  });

  test("whose metadata would become too long is left alone, with a warning", async () => {
    const long = JSON.stringify({ text: "x".repeat(63_980) });
    addRoom("r", long);
    owner.claim(task("r"));
    await finished();
    expect([metadataOf("r"), done]).toEqual([long, [["r", "tenant-a", "refused"]]]);
    expect(lines("warn")).toEqual([
      "The room's metadata does not take its auth_id, it is left alone: LiveKit answered HTTP 400: metadata size exceeds " +
        "limits 64000",
    ]);
  });
});

describe("a LiveKit that does not answer", () => {
  test("is asked again with growing waits, and one warning", async () => {
    addRoom("r");
    livekit.inject({ times: 7, at: "request", drop: true });
    owner.claim(task("r"));
    for (const wait of [1_000, 2_000, 5_000, 15_000, 30_000, 60_000, 60_000]) {
      await waitingFor(wait);
      await clock.turn(wait);
    }
    await finished();
    expect(metadataOf("r")).toBe('{"auth_id":"tenant-a"}');
    expect(lines("warn")).toEqual([
      "The room's auth_id could not be set yet, trying again: LiveKit is unreachable (ECONNRESET)",
    ]);
  });

  test.each<[string, { status: number; body: object | string }, string]>([
    [
      "503",
      { status: 503, body: { code: "unavailable", msg: "no response from servers" } },
      "503: no response from servers",
    ],
    [
      "401, which may be a rotation, without the token in its text",
      { status: 401, body: "invalid token: eyJ.x" },
      "401",
    ],
    ["429", { status: 429, body: "slow down" }, "429"],
    ["404 of something that is no LiveKit", { status: 404, body: "<html>" }, "404"],
  ])("is asked again after %s", async (_, answer, said) => {
    addRoom("r");
    livekit.inject({ at: "request", answer });
    owner.claim(task("r"));
    await waitingFor(1_000);
    expect(lines("warn")).toEqual([
      `The room's auth_id could not be set yet, trying again: LiveKit answered HTTP ${said}`,
    ]);
    await clock.turn(1_000);
    await finished();
    expect(metadataOf("r")).toBe('{"auth_id":"tenant-a"}');
  });

  test("a write whose answer was lost is found done by the next try", async () => {
    addRoom("r");
    livekit.inject({ method: "RoomService/UpdateRoomMetadata", at: "answer", drop: true });
    owner.claim(task("r"));
    await waitingFor(1_000);
    await clock.turn(1_000);
    await finished();
    expect(done).toEqual([["r", "tenant-a", "already owned"]]);
    expect(asked()).toEqual(["ListRooms", "UpdateRoomMetadata", "ListRooms"]);
  });
});

describe("after room_finished", () => {
  test("nothing is tried any more", async () => {
    addRoom("r");
    livekit.inject({ times: Infinity, at: "request", answer: { status: 503, body: "" } });
    owner.claim(task("r"));
    await waitingFor(1_000);
    owner.roomFinished(sidOf("r"));
    expect(clock.waits).toEqual([]);
    await clock.turn(3_600_000);
    expect(livekit.requests.length).toBe(1);
    expect(done).toEqual([["r", "tenant-a", "room finished"]]);
  });

  test.each([
    ["ListRooms", "{}"],
    ["ListRooms", ""],
    ["UpdateRoomMetadata", "{}"],
    ["UpdateRoomMetadata", ""],
  ])("%s under way is the last, with the metadata %p", async (method, metadata) => {
    addRoom("r", metadata);
    livekit.inject({
      method: `RoomService/${method}`,
      at: "answer",
      run: () => owner.roomFinished(sidOf("r")),
    });
    owner.claim(task("r"));
    await finished();
    // Another room's whole way takes longer than the next request of the first would.
    addRoom("later", "{}");
    owner.claim(task("later"));
    await finished(2);
    expect(asked().slice(0, -3).at(-1)).toBe(method);
    expect(done).toEqual([
      ["r", "tenant-a", "room finished"],
      ["later", "tenant-a", "owned"],
    ]);
  });

  test("other rooms go on, and an unknown one is nothing", async () => {
    addRoom("r");
    owner.claim(task("r"));
    owner.roomFinished(sidOf("unknown"));
    await finished();
    expect(done).toEqual([["r", "tenant-a", "owned"]]);
  });
});

describe("several claims", () => {
  test("of one room are made in their order: the first tenant owns it, the second is warned of", async () => {
    addRoom("r");
    owner.claim(task("r", "tenant-a"));
    owner.claim(task("r", "tenant-b"));
    owner.claim(task("r", "tenant-a"));
    await finished(2);
    expect(metadataOf("r")).toBe('{"auth_id":"tenant-a"}');
    expect(done).toEqual([
      ["r", "tenant-a", "owned"],
      ["r", "tenant-b", "other owner"],
    ]);
    expect(lines("warn")).toEqual([expect.stringMatching(/^SECURITY: /)]);
  });

  test("are made a few at a time", async () => {
    const release = Promise.withResolvers<void>();
    livekit.inject({ times: Infinity, at: "request", run: () => release.promise });
    for (let i = 0; i < 40; i += 1) {
      addRoom(`r${i}`);
      owner.claim(task(`r${i}`));
    }
    await until(() => livekit.requests.length === 4);
    await settle();
    expect(livekit.requests.length).toBe(4);
    release.resolve();
    await finished(40);
    expect(done.every(([, , outcome]) => outcome === "owned")).toBe(true);
  });

  test("one room whose LiveKit node does not answer does not hold up the others", async () => {
    addRoom("slow");
    livekit.inject({ at: "request", answer: { status: 503, body: "" } });
    owner.claim(task("slow"));
    await waitingFor(1_000);
    addRoom("r");
    owner.claim(task("r"));
    await finished();
    expect(done).toEqual([["r", "tenant-a", "owned"]]);
  });

  test("beyond the limit are not taken, with one warning, until there is room again", async () => {
    owner.stop();
    owner = create({ maxRooms: 2 });
    livekit.inject({ times: 2, at: "request", answer: { status: 503, body: "" } });
    expect(["r1", "r2", "r3", "r4"].map((name) => owner.claim(task(name)))).toEqual([true, true, false, false]);
    expect(owner.claim(task("r2", "tenant-b"))).toBe(true);
    expect(lines("warn")).toEqual(["Too many rooms wait for their auth_id: no more are taken for now"]);
    await until(() => clock.waits.length === 2);
    owner.roomFinished(sidOf("r1"));
    expect(owner.claim(task("r5"))).toBe(true);
  });
});

describe("stop()", () => {
  test("ends waits, tries nothing any more, and leaves the tasks to the storage", async () => {
    addRoom("r");
    livekit.inject({ at: "request", answer: { status: 503, body: "" } });
    owner.claim(task("r"));
    await waitingFor(1_000);
    owner.stop();
    expect(clock.waits).toEqual([]);
    expect(owner.claim(task("other"))).toBe(false);
    await clock.turn(3_600_000);
    expect(livekit.requests.length).toBe(1);
    expect(done).toEqual([]);
  });
});

describe("onDone", () => {
  test.each<[string, () => void | Promise<void>]>([
    [
      "throws",
      () => {
        throw new Error("disk full");
      },
    ],
    ["rejects", () => Promise.reject(new Error("disk full"))],
  ])("that %s is logged and disturbs nothing", async (_, fail) => {
    owner.stop();
    owner = create({
      onDone: (ended, outcome) => {
        done.push([ended.roomName, ended.authId, outcome]);
        return fail();
      },
    });
    for (const name of ["r1", "r2"]) {
      addRoom(name);
      owner.claim(task(name));
    }
    await finished(2);
    await until(() => lines("error").length === 2);
    expect(metadataOf("r2")).toBe('{"auth_id":"tenant-a"}');
  });
});

test("the API secret is in no log line", async () => {
  livekit.inject({
    at: "request",
    answer: { status: 401, body: `invalid token: eyJa.eyJb.c, error: ${livekit.apiSecret}` },
  });
  owner.claim(task("r"));
  await waitingFor(1_000);
  expect(log.lines.length).toBeGreaterThan(0);
  for (const secret of [livekit.apiSecret, "eyJ"]) expect(log.text()).not.toContain(secret);
});
