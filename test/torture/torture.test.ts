import { describe, expect, test } from "bun:test";
import { scenarios } from "./scenarios";

/** The same at each run; other seeds are for `bun run torture`. */
const SEED = 20_261_121;

describe("the promises hold when", () => {
  test.each(scenarios.map(({ about, ...scenario }) => [about, scenario] as const))(
    "%s",
    async (_, { run, short }) => {
      const { broken, figures } = await run(SEED, short);
      expect(broken).toEqual([]);
      expect(Object.keys(figures)).not.toEqual([]);
    },
    180_000,
  );
});
