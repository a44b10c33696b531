import { describe, test } from "bun:test";
import { testHooks } from "../hooks-suite";
import type { StorageUnderTest } from "../opened-storage";
import { deliveringStorage } from "./delivering-storage";
import { testEvents } from "./events";
import { testLanes } from "./lanes";
import { testWithoutOrder } from "./without-order";

/** The promises of `Storage`, as tests. Each implementation runs them. */
export function testStorage(title: string, create: () => Promise<StorageUnderTest>): void {
  describe(title, () => {
    const under = deliveringStorage(create);
    testEvents(under);
    testLanes(under);
    testWithoutOrder(under);
    testHooks(under);

    test("a storage that can be written says so", async () => {
      await under.storage.checkWritable();
    });
  });
}
