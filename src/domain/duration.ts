const UNITS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;

const isUnit = (text: string): text is keyof typeof UNITS => Object.hasOwn(UNITS, text);

/** Milliseconds of a whole number and one unit: `250ms`, `1s`, `5m`, `24h`, `7d`. Undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const [, count = "", unit = ""] = /^(0|[1-9]\d*)(ms|s|m|h|d)$/.exec(text) ?? [];
  if (!isUnit(unit)) return undefined;
  const ms = Number(count) * UNITS[unit];
  return Number.isSafeInteger(ms) ? ms : undefined;
}

/** The shortest text that `parseDuration` reads as this whole number of milliseconds. */
export function formatDuration(ms: number): string {
  if (ms === 0) return "0s";
  const [unit, length] = Object.entries(UNITS).find(([, unitMs]) => ms % unitMs === 0) ?? ["ms", 1];
  return `${ms / length}${unit}`;
}
