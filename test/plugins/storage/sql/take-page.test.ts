import { describe, expect, test } from "bun:test";
import { readCursor } from "../../../../plugins/storage/sql/cursor";
import { takePage } from "../../../../plugins/storage/sql/take-page";

/** Rows 1 to `count`, of which every `nth` fits; how many of them were read. */
function rows(count: number, nth = 1) {
  const read = { rows: 0 };
  function* generate() {
    for (let i = 1; i <= count; i++) {
      read.rows = i;
      yield { fits: i % nth === 0, position: [i] };
    }
  }
  return { read, generated: generate() };
}

const cursorOf = (next: string | undefined) => (next === undefined ? undefined : readCursor(next, 1));

describe("a page", () => {
  test("has as many entries as asked for, and goes on after the last of them", () => {
    const { generated, read } = rows(10);
    const { entries, next } = takePage(generated, 3);
    expect(entries.map(({ position }) => position)).toEqual([[1], [2], [3]]);
    expect(cursorOf(next)).toEqual([3]);
    expect(read.rows).toBe(4);
  });

  test("that reaches the end is the last one", () => {
    expect(takePage(rows(3).generated, 3)).toMatchObject({ entries: [{}, {}, {}], next: undefined });
    expect(takePage(rows(0).generated, 3)).toEqual({ entries: [], next: undefined });
  });

  test("of a filter that hardly anything fits looks at 1,000 rows, and says where it goes on", () => {
    const { generated, read } = rows(1_000_000, 700);
    const { entries, next } = takePage(generated, 50);
    expect(entries.map(({ position }) => position)).toEqual([[700]]);
    expect(cursorOf(next)).toEqual([1000]);
    expect(read.rows).toBe(1001);
  });
});
