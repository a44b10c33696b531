/** For the tests of plugins, with bun:test: the suites that our own matchers and storages pass, and what they need. */
export { ManualClock, settle } from "../contracts/testing/manual-clock";
export { matchView, type CallerForTest, type HookForTest } from "../contracts/testing/match-view";
export { testMatcher, type MatcherCase, type MatcherUnderTest } from "../contracts/testing/matcher-suite";
export { testConcurrency, testSharing, type SharedStorage } from "../contracts/testing/concurrency-suite";
export { testCrashes, type CrashingStorage } from "../contracts/testing/crash-suite";
export { testHistory } from "../contracts/testing/history-suite";
export type { StorageUnderTest } from "../contracts/testing/opened-storage";
export { testStorage } from "../contracts/testing/storage-suite";
export { testUpkeep } from "../contracts/testing/upkeep-suite";
export { createForTest, type ForTest } from "./create-for-test";
export { optionsTable } from "./options-table";
