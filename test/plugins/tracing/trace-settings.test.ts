import { describe, expect, test } from "bun:test";
import { readTraceSettings, type TraceSettings } from "../../../plugins/tracing/trace-settings";

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };
const ON = { kind: "on", protocol: "http/protobuf", sampler: { parentBased: true, ratio: 1 }, batch: {} } as const;

describe("whether traces are sent", () => {
  test.each<[string, Record<string, string>, TraceSettings]>([
    ["nothing", {}, { kind: "off" }],
    ["an empty endpoint", { OTEL_EXPORTER_OTLP_ENDPOINT: " " }, { kind: "off" }],
    ["an endpoint", ENDPOINT, ON],
    ["one for traces alone", { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://collector:4318/v1/traces" }, ON],
    ["the exporter, at its default endpoint", { OTEL_TRACES_EXPORTER: "otlp" }, ON],
    ["no exporter", { ...ENDPOINT, OTEL_TRACES_EXPORTER: "none" }, { kind: "off" }],
    ["disabled", { ...ENDPOINT, OTEL_SDK_DISABLED: "TRUE" }, { kind: "off" }],
    ["a value that is not true", { ...ENDPOINT, OTEL_SDK_DISABLED: "1" }, ON],
  ])("%s", (_, env, settings) => {
    expect(readTraceSettings(env)).toEqual(settings);
  });
});

test.each([
  ["always_on", undefined, { parentBased: false, ratio: 1 }],
  ["always_off", undefined, { parentBased: false, ratio: 0 }],
  ["traceidratio", "0.25", { parentBased: false, ratio: 0.25 }],
  ["traceidratio", undefined, { parentBased: false, ratio: 1 }],
  ["parentbased_traceidratio", "0", { parentBased: true, ratio: 0 }],
  ["parentbased_always_off", "0.5", { parentBased: true, ratio: 0 }],
])("OTEL_TRACES_SAMPLER=%s with the argument %s", (sampler, argument, expected) => {
  const env = { ...ENDPOINT, OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: argument };
  expect(readTraceSettings(env)).toEqual({ ...ON, sampler: expected });
});

test("the batch is as the variables say; what is no number is the default", () => {
  const env = { ...ENDPOINT, OTEL_BSP_SCHEDULE_DELAY: "100", OTEL_BSP_MAX_QUEUE_SIZE: "many" };
  expect(readTraceSettings(env)).toEqual({ ...ON, batch: { scheduledDelayMillis: 100 } });
});

test.each([
  ["OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"],
  ["OTEL_TRACES_EXPORTER", "zipkin"],
  ["OTEL_TRACES_SAMPLER", "jaeger_remote"],
])("%s=%s is said to be unknown, and the service goes on without traces", (variable, value) => {
  expect(readTraceSettings({ ...ENDPOINT, [variable]: value })).toEqual({
    kind: "unusable",
    reason: expect.stringContaining(`${variable} is ${value}, and known here are `),
  });
});

test("a ratio that is none is said", () => {
  const env = { ...ENDPOINT, OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "50%" };
  expect(readTraceSettings(env)).toMatchObject({ kind: "unusable", reason: expect.stringContaining("50%") });
});
