import type { Clock } from "../../src/contracts/clock";
import type { Logger } from "../../src/contracts/logger";
import type { StorageFigures } from "../../src/contracts/storage-figures";
import { watchProcess } from "./process-figures";
import type { MetricSources, Snapshot } from "./snapshot";

export type ExpositionOptions = MetricSources & { readonly clock: Clock; readonly log: Logger };

export type Exposition = { readonly contentType: string; readonly text: string };

/** The storage is not asked more often, however many scrape. */
const FIGURES_FOR_MS = 5_000;
/** A scrape gives up after 10 s by default; what does not need the storage is worth having. */
const FIGURES_WITHIN_MS = 3_000;

/**
 * Makes the function that gives the metrics in Prometheus's text format. Its client is loaded at the first scrape: that
 * takes 50 ms and 9 MB (measured), which a start, and an installation that nobody scrapes, do without.
 */
export function createExposition({ version, measures, sip, clock, log }: ExpositionOptions): () => Promise<Exposition> {
  let snapshot: Snapshot | undefined;
  let registry: ReturnType<typeof load> | undefined;
  let known: { readonly at: number; readonly figures: Promise<Snapshot["figures"]> } | undefined;

  async function load() {
    const { createRegistry } = await import("./create-registry");
    const loaded = createRegistry(() => {
      if (snapshot === undefined) throw new Error("the metrics were read before a snapshot was taken");
      return snapshot;
    });
    return { registry: loaded, readProcess: watchProcess() };
  }

  function figures(): Promise<Snapshot["figures"]> {
    const at = clock.monotonic();
    if (known === undefined || at - known.at >= FIGURES_FOR_MS) known = { at, figures: ask() };
    return known.figures;
  }

  async function ask(): Promise<Snapshot["figures"]> {
    if (sip?.figures === undefined) return undefined;
    try {
      return await within(sip.figures());
    } catch (error) {
      // Fails open because the other metrics say what the storage's trouble does.
      log.warn({ err: error }, "The storage did not answer for the metrics");
      return "unreadable";
    }
  }

  async function within(asked: Promise<StorageFigures>): Promise<StorageFigures> {
    let cancel = () => {};
    const silence = new Promise<never>((_, reject) => {
      cancel = clock.after(FIGURES_WITHIN_MS, () => reject(new Error("it took longer than 3 s")));
    });
    return Promise.race([asked, silence]).finally(cancel);
  }

  return async () => {
    registry ??= load();
    const [{ registry: loaded, readProcess }, stored] = await Promise.all([registry, figures()]);
    const processFigures = await readProcess();
    snapshot = {
      version,
      now: clock.now(),
      measures,
      webhooks: sip?.webhooks(),
      gaps: sip?.gaps(),
      present: sip?.present(),
      figures: stored,
      process: processFigures,
    };
    return { contentType: loaded.contentType, text: await loaded.metrics() };
  };
}
