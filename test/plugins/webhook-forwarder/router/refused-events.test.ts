import { describe, expect, test } from "bun:test";
import { AppError } from "../../../../src/domain/errors";
import type { JsonObject } from "../../../../src/domain/json";
import { webhookJson } from "../../../support/webhooks";
import { exact, intakeUnderTest, joined } from "./intake-under-test";

const under = intakeUnderTest();
const { take } = under;

describe("a storage that cannot commit", () => {
  const refusal = async (json: JsonObject) => {
    const error = await take(json).catch((thrown: unknown) => thrown);
    return error instanceof AppError ? [error.status, error.headers["retry-after"]] : error;
  };

  test("503 with a Retry-After that grows with each refusal of the same event: 1, 2, 8, 15 s", async () => {
    under.storage.commit = () => Promise.reject(new Error("SQLITE_FULL"));
    const json = joined("a.example.com");
    for (const seconds of ["1", "2", "8", "15", "15"]) expect(await refusal(json)).toEqual([503, seconds]);
    expect(await refusal(joined("a.example.com", "PA_2"))).toEqual([503, "1"]);
    expect(under.intake.counts.refused).toBe(6);
  });

  test("an event that was refused a minute ago begins anew, and one that can be kept is kept", async () => {
    const { commit } = under.storage;
    under.storage.commit = () => Promise.reject(new Error("SQLITE_FULL"));
    const json = joined("a.example.com");
    await refusal(json);
    await under.clock.turn(60_000);
    expect(await refusal(json)).toEqual([503, "1"]);
    under.storage.commit = commit;
    await take(json);
    expect(under.woken).toEqual([exact.id]);
  });

  test("more waiting events than memory allows are refused", async () => {
    under.storage.commit = () => new Promise(() => {});
    const body = new Uint8Array(1024 * 1024);
    const waiting = Array.from({ length: 64 }, (_, i) =>
      under.intake.take({ json: joined("a.example.com", `PA_${i}`), body, contentType: "x" }),
    );
    void Promise.allSettled(waiting);
    expect(await refusal(joined("a.example.com", "PA_last"))).toEqual([503, "1"]);
  });
});

describe("freshness", () => {
  const now = () => String(Math.floor(under.clock.now() / 1000));

  test("events that are kept are measured, repetitions and other rooms' are not", async () => {
    const json = webhookJson("room_started", { createdAt: now() });
    await take(json);
    await take(json);
    await take(webhookJson("room_started", { room: { sid: "RM_9", name: "meeting" } }));
    expect(under.intake.freshness()).toMatchObject({ arrived: 1, late: 0 });
  });

  test("one that is refused again and again is warned of while LiveKit still tries", async () => {
    const { commit } = under.storage;
    under.storage.commit = () => Promise.reject(new Error("SQLITE_FULL"));
    const json = webhookJson("room_started", { createdAt: now() });
    for (const wait of [1, 2, 8, 0]) {
      await take(json).catch(() => {});
      await under.clock.turn(wait * 1000);
    }
    expect(under.log.lines.filter(({ level }) => level === "warn")).toMatchObject([{ fields: { refused_ms: 11_000 } }]);
    under.storage.commit = commit;
    await take(json);
    expect(under.intake.freshness()).toMatchObject({ arrived: 1, refusedLong: 1, givenUp: 0, mostLate: 0 });
  });
});
