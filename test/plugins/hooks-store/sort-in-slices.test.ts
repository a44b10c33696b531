import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { sortInSlices } from "../../../plugins/hooks-store/sort-in-slices";

test.each([0, 1, 2_000, 2_001, 10_001])("%d entries come out sorted", async (count) => {
  const entries = Array.from({ length: count }, (_, i) => ({ host: `h${(i * 7_919) % 10_007}` }));
  const sorted = await sortInSlices(entries, ({ host }) => host);
  expect(sorted.map(({ host }) => host)).toEqual(entries.map(({ host }) => host).toSorted());
});

test("texts of any kind are sorted as the language sorts them", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.string()), async (texts) => {
      expect(await sortInSlices(texts, (text) => text)).toEqual(texts.toSorted());
    }),
  );
});
