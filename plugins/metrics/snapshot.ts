import type { Measures } from "../../src/contracts/measures";
import type { StorageFigures } from "../../src/contracts/storage-figures";
import type { ProcessFigures } from "./process-figures";

/** What became of webhooks so far. */
export type WebhookCounts = {
  readonly kept: number;
  readonly duplicate: number;
  readonly notSip: number;
  readonly noHooks: number;
  readonly refused: number;
};

/** What is missing of LiveKit's webhooks so far; see the router's freshness. */
export type GapCounts = {
  readonly outOfOrder: number;
  readonly unseenStart: number;
  readonly missingJoined: number;
  readonly missingLeft: number;
  readonly givenUp: number;
};

/** What is so at the moment. */
export type Present = {
  readonly inFlight: number;
  readonly openBreakers: number;
  readonly hooks: number;
  readonly pausedHooks: number;
};

/** What the metrics are read from; asked at a scrape only. */
export type MetricSources = {
  readonly version: string;
  readonly measures: Measures;
  /** Undefined without a `sip` block. */
  readonly sip:
    | {
        readonly webhooks: () => WebhookCounts;
        readonly gaps: () => GapCounts;
        readonly present: () => Present;
        /** Undefined when the storage says nothing of its contents. */
        readonly figures: (() => Promise<StorageFigures>) | undefined;
      }
    | undefined;
};

/** All figures of one scrape. */
export type Snapshot = {
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly measures: Measures;
  readonly webhooks: WebhookCounts | undefined;
  readonly gaps: GapCounts | undefined;
  readonly present: Present | undefined;
  /** `unreadable`: the storage did not answer. */
  readonly figures: StorageFigures | "unreadable" | undefined;
  readonly process: ProcessFigures;
};
