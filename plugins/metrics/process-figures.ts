import { readdir } from "node:fs/promises";
import { performance } from "node:perf_hooks";
import { Distribution } from "../../src/domain/distribution";

/** What is so of the process; the metrics' names are those that Prometheus's own libraries use. */
export type ProcessFigures = {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** Seconds since the epoch. */
  readonly startedAt: number;
  /** Undefined where there is no /proc. */
  readonly openFiles: number | undefined;
  readonly eventLoopDelay: Distribution;
};

const LOOK_MS = 250;
const DELAYS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/**
 * Makes the function that reads them, and begins to measure the event loop: four times a second how late a timer is, so that
 * a stall of a quarter of a second is never missed. The default metrics of Prometheus's client take 0.6 % of a core for that
 * (measured), this 0.1 %; most of the others are about another engine than Bun's, and always zero.
 */
export function watchProcess(): () => Promise<ProcessFigures> {
  const eventLoopDelay = new Distribution(DELAYS);
  let due = performance.now() + LOOK_MS;
  setInterval(() => {
    const now = performance.now();
    eventLoopDelay.add(Math.max(now - due, 0) / 1000);
    due = now + LOOK_MS;
  }, LOOK_MS).unref();
  return async () => {
    const { user, system } = process.cpuUsage();
    return {
      cpuSeconds: (user + system) / 1e6,
      residentBytes: process.memoryUsage.rss(),
      startedAt: performance.timeOrigin / 1000,
      openFiles: await readdir("/proc/self/fd").then(
        (files) => files.length,
        () => undefined,
      ),
      eventLoopDelay,
    };
  };
}
