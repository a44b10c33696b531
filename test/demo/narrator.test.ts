import { expect, test } from "bun:test";
import { Narrator } from "../../src/demo/narrator";
import { RECORDED_CALLS } from "../../src/demo/recorded-calls";

test.each([
  [0.84, "0.8 ms"],
  [999.94, "999.9 ms"],
  [1251.4, "1.3 s"],
  [15_000, "15.0 s"],
])("an acknowledgement after %d ms has a line of 80 characters at most", (ms, shown) => {
  const lines: string[] = [];
  const narrator = new Narrator({
    write: (text) => lines.push(...text.split("\n")),
    paint: (_, text) => text,
    startedAt: performance.now() - 99_000,
  });
  for (const call of Object.values(RECORDED_CALLS)) {
    for (const event of call.events) narrator.answered({ call, event, status: 200, ms });
  }
  const answered = lines.filter((line) => line !== "");
  expect(answered).toHaveLength(28);
  expect(answered.every((line) => line.endsWith(`acknowledged ${shown}`))).toBe(true);
  expect(answered.filter((line) => line.length > 80)).toEqual([]);
});
