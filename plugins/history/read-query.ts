import type { PageRequest, TimeSpan, Viewer } from "../../src/contracts/history";
import { AppError } from "../../src/domain/errors";
import { parseHostPattern } from "../../src/domain/host-pattern";
import { parseInstant } from "../../src/domain/instant";
import type { Principal } from "../../src/domain/principal";

const DEFAULT_LIMIT = 50;

export function readPage({ limit, cursor }: { readonly limit?: number; readonly cursor?: string }): PageRequest {
  return { limit: limit ?? DEFAULT_LIMIT, ...(cursor === undefined ? {} : { after: cursor }) };
}

/** @throws AppError `invalid_request` for a day that no month has. */
export function readSpan({ since, until }: { readonly since?: string; readonly until?: string }): TimeSpan {
  return {
    ...(since === undefined ? {} : { since: readTime("since", since) }),
    ...(until === undefined ? {} : { until: readTime("until", until) }),
  };
}

function readTime(name: string, text: string): number {
  const time = parseInstant(text);
  if (time === undefined) throw new AppError("invalid_request", { message: `${name}: no month has that day` });
  return Math.floor(time);
}

/** The host as the table has it; what is no host is left as it is, and finds nothing. */
export function readHost(text: string): string {
  return parseHostPattern(text) ?? text;
}

/** A number's `+` that was not written as `%2B` comes as a blank (URL Standard, 5.1); no number begins with one. */
export function readNumber(text: string | undefined): string | undefined {
  return text?.replace(/^ /, "+");
}

export function viewerOf(caller: Principal): Viewer {
  return caller.role === "operator" ? "operator" : { authId: caller.id };
}

/** Leaves out what is undefined. */
export function given<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { [K in Key]: Value });
}

export const iso = (ms: number): string => new Date(ms).toISOString();

/** LiveKit's time; undefined also when no date is that large. */
export function isoSeconds(seconds: number | undefined): string | undefined {
  const date = new Date((seconds ?? Number.NaN) * 1000);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
