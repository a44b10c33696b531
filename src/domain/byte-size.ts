const UNITS = { GiB: 1024 ** 3, MiB: 1024 ** 2, KiB: 1024, B: 1 } as const;

const isUnit = (text: string): text is keyof typeof UNITS => Object.hasOwn(UNITS, text);

/** Bytes of a whole number and one unit: `512MiB`, `2GiB`. Undefined for anything else. */
export function parseByteSize(text: string): number | undefined {
  const [, count = "", unit = ""] = /^(0|[1-9]\d*)(B|KiB|MiB|GiB)$/.exec(text) ?? [];
  if (!isUnit(unit)) return undefined;
  const bytes = Number(count) * UNITS[unit];
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** The shortest text that `parseByteSize` reads as this whole number of bytes. */
export function formatByteSize(bytes: number): string {
  if (bytes === 0) return "0B";
  const [unit, length] = Object.entries(UNITS).find(([, unitBytes]) => bytes % unitBytes === 0) ?? ["B", 1];
  return `${bytes / length}${unit}`;
}
