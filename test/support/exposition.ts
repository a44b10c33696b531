/** One metric of an exposition, its series by their labels as they were written. */
export type Family = {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly series: ReadonlyMap<string, number>;
};

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const COMMENT = new RegExp(`^# (HELP|TYPE) (${NAME}) (.*)$`);
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`);
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/y;
const TYPES = new Set(["counter", "gauge", "histogram", "summary", "untyped"]);

/**
 * Reads Prometheus's text format 0.0.4 and throws what `promtool check metrics` complains of: a metric without HELP or TYPE,
 * or with two; samples of a metric apart from each other; a series twice; a name or a value that is none; a counter that does
 * not end in `_total`, or is below 0; a histogram whose buckets are not cumulative, or whose `+Inf` is not its count.
 */
export function parseExposition(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const families = new Map<string, Family & { series: Map<string, number> }>();
  let current: (Family & { series: Map<string, number> }) | undefined;
  let help: { name: string; text: string } | undefined;
  for (const line of text.split("\n")) {
    if (line === "") continue;
    if (line.startsWith("#")) {
      const [, kind, name = "", rest = ""] = COMMENT.exec(line) ?? [];
      if (kind === undefined) throw new Error(`no comment of the format: ${line}`);
      if (families.has(name)) throw new Error(`a second ${kind} of ${name}, or one behind its samples`);
      if (kind === "HELP") {
        if (help !== undefined) throw new Error(`${help.name} has HELP without TYPE`);
        if (rest.trim() === "") throw new Error(`${name} has no help`);
        help = { name, text: rest };
        continue;
      }
      if (help?.name !== name) throw new Error(`${name} has TYPE without HELP before it`);
      if (!TYPES.has(rest)) throw new Error(`${name} has the type ${rest}`);
      if ((rest === "counter") !== name.endsWith("_total")) throw new Error(`${name} is a ${rest}`);
      if (/_(bucket|count|sum)$/.test(name)) throw new Error(`${name} ends as a series of a histogram`);
      current = { name, help: help.text, type: rest, series: new Map() };
      families.set(name, current);
      help = undefined;
      continue;
    }
    const [, name = "", labels = "", value = ""] = SAMPLE.exec(line) ?? [];
    if (name === "") throw new Error(`no sample: ${line}`);
    if (current === undefined || familyOf(name, current.type) !== current.name) {
      throw new Error(`a sample of ${name} that is not behind its own TYPE`);
    }
    const key = `${name}{${sorted(labels)}}`;
    if (current.series.has(key)) throw new Error(`the series ${key} is there twice`);
    const number = toNumber(value);
    if (current.type !== "gauge" && !(number >= 0)) throw new Error(`${key} is ${value}`);
    current.series.set(key, number);
  }
  if (help !== undefined) throw new Error(`${help.name} has HELP without TYPE`);
  for (const family of families.values()) if (family.type === "histogram") checkHistogram(family);
  return families;
}

/** The value of a series, whose labels may be in any order; undefined when it is not there. */
export function valueOf(families: ReadonlyMap<string, Family>, series: string): number | undefined {
  const [, name = "", labels = ""] = /^([^{]+)(?:\{(.*)\})?$/.exec(series) ?? [];
  for (const family of families.values()) {
    const value = family.series.get(`${name}{${sorted(labels)}}`);
    if (value !== undefined) return value;
  }
  return undefined;
}

function familyOf(series: string, type: string): string {
  return type === "histogram" ? series.replace(/_(bucket|count|sum)$/, "") : series;
}

function sorted(labels: string): string {
  const parts: string[] = [];
  const names = new Set<string>();
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < labels.length) {
    const match = LABEL.exec(labels);
    if (match === null) throw new Error(`no labels: {${labels}}`);
    const [, name = "", value = ""] = match;
    if (names.has(name)) throw new Error(`the label ${name} twice: {${labels}}`);
    names.add(name);
    parts.push(`${name}="${value}"`);
  }
  return parts.toSorted().join(",");
}

function toNumber(text: string): number {
  if (text === "+Inf") return Infinity;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) throw new Error(`no value: ${text}`);
  return Number(text);
}

function checkHistogram({ name, series }: Family): void {
  const groups = new Map<string, { buckets: { le: number; count: number }[]; sum?: number; count?: number }>();
  for (const [key, value] of series) {
    const [, suffix = "", labels = ""] = /_(bucket|count|sum)\{(.*)\}$/.exec(key) ?? [];
    const le = /(?:^|,)le="([^"]*)"/.exec(labels)?.[1];
    const others = labels
      .split(",")
      .filter((label) => label !== "" && !label.startsWith("le="))
      .join(",");
    const group = groups.get(others) ?? { buckets: [] };
    groups.set(others, group);
    if (suffix === "bucket") {
      if (le === undefined) throw new Error(`a bucket of ${name} without le`);
      group.buckets.push({ le: toNumber(le), count: value });
    } else if (suffix === "sum") group.sum = value;
    else group.count = value;
  }
  for (const [labels, { buckets, sum, count }] of groups) {
    const where = `${name}{${labels}}`;
    if (sum === undefined || count === undefined) throw new Error(`${where} has no sum, or no count`);
    if (buckets.at(-1)?.le !== Infinity) throw new Error(`${where} does not end with +Inf`);
    if (buckets.at(-1)?.count !== count) throw new Error(`${where} has ${count} values, and another number below +Inf`);
    for (const [i, bucket] of buckets.entries()) {
      const before = buckets[i - 1];
      if (before === undefined) continue;
      if (!(bucket.le > before.le)) throw new Error(`the buckets of ${where} are not in ascending order`);
      if (bucket.count < before.count) throw new Error(`the buckets of ${where} are not cumulative`);
    }
  }
}
