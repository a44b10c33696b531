import { describe } from "bun:test";
import type { StorageUnderTest } from "../opened-storage";
import { testCalls } from "./calls";
import { testCancelling } from "./cancelling";
import { testDeliveriesList } from "./deliveries-list";
import { historyUnderTest } from "./history-under-test";
import { testRemembered } from "./remembered";
import { testReplay } from "./replay";
import { testRouteAgain } from "./route-again";
import { testUnmatchedList } from "./unmatched-list";

/** The promises of `History`, as tests. Each implementation runs them. */
export function testHistory(title: string, create: () => Promise<StorageUnderTest>): void {
  describe(title, () => {
    const under = historyUnderTest(create);
    testDeliveriesList(under);
    testUnmatchedList(under);
    testCalls(under);
    testReplay(under);
    testRouteAgain(under);
    testCancelling(under);
    testRemembered(under);
  });
}
