import type { Measure } from "../measure";
import { measureHookTable } from "./hook-table";

const POST = "POST 1000 (half of them new)";

/** `POST /sip/hooks` with 1,000 hooks into a table of 100,000; `bun bench/measures/hook-table.ts` shows the other requests too. */
export const largeTable: Measure = {
  name: "1,000 hooks into 100,000",
  rounds: 1,
  async round() {
    const { operations, memory } = await measureHookTable({ rounds: 3 });
    const post = operations.find(({ name }) => name === POST);
    if (post === undefined) throw new Error(`${POST} is not measured any more`);
    return { "whole answer": post.lastByte, "acknowledged p99": post.ackP99, memory: memory.full };
  },
  figures: (median) => [
    { name: "whole answer", value: median("whole answer"), unit: "ms", atMost: 1000 },
    { name: "acknowledgement p99 meanwhile", value: median("acknowledged p99"), unit: "ms", atMost: 50 },
    { name: "resident memory with the table", value: median("memory"), unit: "MB" },
  ],
};
