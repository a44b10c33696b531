import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { CATALOGUE } from "../../plugins/metrics/catalogue";

const DEPLOY = join(import.meta.dir, "../../deploy");

type Rule = {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
};
type Panel = {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
};

const rules = (
  parse(readFileSync(join(DEPLOY, "prometheus/alerts.yaml"), "utf8")) as { groups: { rules: readonly Rule[] }[] }
).groups.flatMap((group) => group.rules);
const { panels } = JSON.parse(readFileSync(join(DEPLOY, "grafana/sayna-sip.json"), "utf8")) as {
  panels: readonly Panel[];
};
const expressions = [
  ...rules.map(({ alert, expr }) => [alert, expr] as const),
  ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
];

/** Every series' name, and the labels that it has beside those of the scrape. */
const SERIES: ReadonlyMap<string, readonly string[]> = new Map(
  CATALOGUE.flatMap(({ name, kind, labels = [] }): [string, readonly string[]][] =>
    kind === "histogram"
      ? [
          [`${name}_bucket`, [...labels, "le"]],
          [`${name}_sum`, labels],
          [`${name}_count`, labels],
        ]
      : [[name, labels]],
  ),
);
const OF_THE_SCRAPE = ["job", "instance"];
/** Prometheus's own. */
const UP = "up";

/** The series that an expression names, and the labels it asks of them, or groups them by. */
function namesIn(expr: string): { series: string[]; labels: string[] } {
  const plain = expr.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
  const series = [...plain.matchAll(/\b((?:sayna_sip|process|nodejs)_[a-z0-9_]+|up)\b/g)].map(([, name = ""]) => name);
  const selected = [...plain.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)\s*""/g)].map(([, label = ""]) => label);
  const grouped = [...plain.matchAll(/\b(?:by|on|group_left)\s*\(([^)]*)\)/g)].flatMap(([, list = ""]) =>
    list.split(",").map((label) => label.trim()),
  );
  return { series, labels: [...selected, ...grouped] };
}

test("the checks see what they are to see", () => {
  expect(expressions.length).toBeGreaterThan(50);
  expect(namesIn('sum by (le, job) (rate(sayna_sip_x_bucket{a=~"le|up",b!="1"}[5m])) > up')).toEqual({
    series: ["sayna_sip_x_bucket", "up"],
    labels: ["a", "b", "le", "job"],
  });
});

test.each(expressions)("%s names only series and labels that there are: %s", (_, expr) => {
  const { series, labels } = namesIn(expr);
  expect(series.length).toBeGreaterThan(0);
  expect(series.filter((name) => !SERIES.has(name) && name !== UP)).toEqual([]);
  const known = new Set([...series.flatMap((name) => SERIES.get(name) ?? []), ...OF_THE_SCRAPE]);
  expect(labels.filter((label) => !known.has(label))).toEqual([]);
});

test.each(expressions)("%s asks for the rate of what only grows, and never of a gauge: %s", (_, expr) => {
  for (const { name, kind } of CATALOGUE) {
    const uses = [...expr.matchAll(new RegExp(`(\\w+\\()?${name}(_bucket|_sum|_count)?[{\\s=)]`, "g"))];
    for (const [, around = ""] of uses) {
      expect([name, /^(rate|increase)\($/.test(around)]).toEqual([name, kind !== "gauge"]);
    }
  }
});

test.each(expressions)("%s has as many brackets open as closed: %s", (_, expr) => {
  for (const [open, close] of ["()", "{}", "[]"].map((pair) => pair.split(""))) {
    expect(expr.split(open ?? "").length).toBe(expr.split(close ?? "").length);
  }
});

describe("the alert rules", () => {
  test("have different names, a severity, and say what to do", () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { labels, annotations } of rules) {
      expect(["critical", "warning", "info"]).toContain(labels.severity);
      expect(annotations.summary.length).toBeGreaterThan(10);
      expect(annotations.description.length).toBeGreaterThan(20);
    }
  });

  test("name in their texts only labels that their expression leaves", () => {
    for (const { expr, annotations } of rules) {
      const used = [...JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)].map(([, label = ""]) => label);
      const [, left = ""] = /by \(([^)]*)\)/.exec(expr) ?? [];
      const kept = left === "" ? OF_THE_SCRAPE : left.split(",").map((label) => label.trim());
      expect(used.filter((label) => !kept.includes(label))).toEqual([]);
    }
  });
});

describe("the dashboard", () => {
  test("has panels with ids of their own that do not lie on each other", () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
  });

  test("shows every metric", () => {
    const shown = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)).join("\n");
    const left = CATALOGUE.filter(({ name }) => !shown.includes(name)).map(({ name }) => name);
    expect(left).toEqual(["sayna_sip_storage_readable", "process_open_fds"]);
  });
});
