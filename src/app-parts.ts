import type { LoadedPlugin } from "../plugins/plugin-host";
import type { Clock } from "./contracts/clock";
import type { Logger } from "./contracts/logger";
import type { Matcher } from "./contracts/matcher";
import type { Sender } from "./contracts/sender";
import type { Storage } from "./contracts/storage";
import type { Tracing } from "./contracts/tracing";
import type { Secret } from "./domain/secret";

/** What a program that embeds the service, or a test, may put in the place of the usual parts. */
export type AppParts = {
  readonly log: Logger;
  readonly clock?: Clock;
  /** From 0 to 1, for the jitter of retries. */
  readonly random?: () => number;
  readonly storage?: Storage;
  readonly sender?: Sender;
  /** Nothing is traced without it. */
  readonly tracing?: Tracing | undefined;
  /** What the configuration's `plugins` name, loaded: matchers beside the built-in ones, storages. */
  readonly plugins?: readonly LoadedPlugin[];
  /** More matchers; `sip.matchers` names those that are asked. */
  readonly matchers?: readonly Matcher[];
};

export type Credentials = { readonly apiKey: string; readonly apiSecret: Secret };
