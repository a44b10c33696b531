import { beforeEach, describe, expect, test } from "bun:test";
import { Registry } from "prom-client";
import { createMetrics } from "../../../plugins/plugin-host/create-metrics";
import type { PluginMetrics } from "../../../src/contracts/plugin-metrics";

let registry: Registry;
let metrics: PluginMetrics;

beforeEach(() => {
  registry = new Registry();
  metrics = createMetrics("by-number", registry);
});

const shown = async () => (await registry.metrics()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));

describe("what a plugin counts and measures is shown under its own name", () => {
  test("a counter, with and without labels", async () => {
    const plain = metrics.counter({ name: "asked_total", help: "Questions." });
    const labelled = metrics.counter({ name: "found_total", help: "Answers.", labels: { where: ["file", "cache"] } });
    plain.add();
    plain.add();
    labelled.add({ where: "file" });
    expect(await shown()).toEqual([
      "sayna_sip_plugin_by_number_asked_total 2",
      'sayna_sip_plugin_by_number_found_total{where="file"} 1',
    ]);
  });

  test("a gauge and a histogram; what is no number is left out, and nothing is thrown", async () => {
    const gauge = metrics.gauge({ name: "size", help: "Entries." });
    const histogram = metrics.histogram({ name: "seconds", help: "Time.", buckets: [0.1, 1] });
    gauge.set(3);
    histogram.observe(0.5);
    for (const odd of [Number.NaN, Infinity, "7" as never, undefined as never]) {
      gauge.set(odd);
      histogram.observe(odd);
    }
    expect(await shown()).toEqual([
      "sayna_sip_plugin_by_number_size 3",
      'sayna_sip_plugin_by_number_seconds_bucket{le="0.1"} 0',
      'sayna_sip_plugin_by_number_seconds_bucket{le="1"} 1',
      'sayna_sip_plugin_by_number_seconds_bucket{le="+Inf"} 1',
      "sayna_sip_plugin_by_number_seconds_sum 0.5",
      "sayna_sip_plugin_by_number_seconds_count 1",
    ]);
  });
});

describe("labels are bounded", () => {
  test("a value that is not listed is other", async () => {
    metrics.counter({ name: "a_total", help: "A.", labels: { kind: ["x"] } }).add({ kind: "+15550100" as never });
    expect(await shown()).toEqual(['sayna_sip_plugin_by_number_a_total{kind="other"} 1']);
  });

  test("of values that are not listed the first ones are shown, and what comes after them is other", async () => {
    const counter = metrics.counter({ name: "a_total", help: "A.", labels: { tenant: { max: 2 } } });
    for (let i = 0; i < 1_000; i++) counter.add({ tenant: `tenant-${i}` });
    counter.add({ tenant: "tenant-1" });
    expect(await shown()).toEqual([
      'sayna_sip_plugin_by_number_a_total{tenant="tenant-0"} 1',
      'sayna_sip_plugin_by_number_a_total{tenant="tenant-1"} 2',
      'sayna_sip_plugin_by_number_a_total{tenant="other"} 998',
    ]);
  });

  test("long values are cut, and odd ones cannot leave their line", async () => {
    const counter = metrics.counter({ name: "a_total", help: "A.", labels: { tenant: { max: 5 } } });
    counter.add({ tenant: "x".repeat(1_000) });
    counter.add({ tenant: 'a"}\n b' });
    expect(await shown()).toEqual([
      `sayna_sip_plugin_by_number_a_total{tenant="${"x".repeat(100)}"} 1`,
      'sayna_sip_plugin_by_number_a_total{tenant="a\\"}\\n b"} 1',
    ]);
  });
});

test.each([
  ["a name with a capital", () => metrics.gauge({ name: "Size", help: "." }), "a metric's name has lower-case letters"],
  [
    "a counter that does not say that it is one",
    () => metrics.counter({ name: "asked", help: "." }),
    "a counter's name ends in _total",
  ],
  [
    "a label with a hyphen",
    () => metrics.gauge({ name: "a", help: ".", labels: { "a-b": ["x"] } }),
    "a label's name has",
  ],
  [
    "a label without values",
    () => metrics.gauge({ name: "a", help: ".", labels: { a: [] } }),
    "has from 1 to 1000 values",
  ],
  [
    "a label without bounds",
    () => metrics.gauge({ name: "a", help: ".", labels: { a: { max: Infinity } } }),
    "has from 1 to 1000 values",
  ],
  [
    "too many combinations",
    () => metrics.gauge({ name: "a", help: ".", labels: { a: { max: 500 }, b: { max: 500 } } }),
    "10000 at most",
  ],
  ["buckets that go down", () => metrics.histogram({ name: "a", help: ".", buckets: [2, 1] }), "in ascending order"],
  ["no buckets", () => metrics.histogram({ name: "a", help: ".", buckets: [] }), "in ascending order"],
  [
    "a name that is there",
    () => {
      metrics.gauge({ name: "a", help: "." });
      metrics.gauge({ name: "a", help: "." });
    },
    "already been registered",
  ],
])("%s is refused when it is declared", (_, declare, message) => {
  expect(declare).toThrow(message);
});
