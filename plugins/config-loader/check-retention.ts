import { formatByteSize, parseByteSize } from "../../src/domain/byte-size";
import { formatDuration, parseDuration } from "../../src/domain/duration";
import { label, valueAt } from "./pointer";
import type { Report } from "./report";

/** A hook that joins a call later is sent the call's earlier events (routing rules 6 and 7), which must be there for it. */
const SHORTEST_MS = 60 * 60 * 1000;
/** Below it the WAL (5 MB under load, measured) and the indexes would be most of the database. */
const SMALLEST_BYTES = 64 * 1024 * 1024;

export function checkRetention(tree: unknown, report: Report): void {
  for (const name of ["delivered", "dead", "unmatched"]) {
    const at = `/retention/${name}`;
    const age = parsedAt(tree, at, parseDuration);
    // 0 was reported as no duration.
    if (age === undefined || age === 0 || age >= SHORTEST_MS) continue;
    const message = `${label(at)} (${formatDuration(age)}) is shorter than ${formatDuration(SHORTEST_MS)}`;
    report.add(at, message, "Use at least 1h: a hook that joins a call is sent the call's earlier events.");
  }
  const at = "/retention/max_size";
  const size = parsedAt(tree, at, parseByteSize);
  if (size === undefined || size >= SMALLEST_BYTES) return;
  const message = `${label(at)} (${formatByteSize(size)}) is less than ${formatByteSize(SMALLEST_BYTES)}`;
  report.add(at, message, "Use at least 64MiB.");
}

function parsedAt(tree: unknown, at: string, parse: (text: string) => number | undefined): number | undefined {
  const value = valueAt(tree, at);
  return typeof value === "string" ? parse(value) : undefined;
}
