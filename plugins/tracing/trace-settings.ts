/** What the standard variables of OpenTelemetry ask for. */
export type TraceSettings =
  | { readonly kind: "off" }
  /** `reason`: what was asked for and cannot be had. */
  | { readonly kind: "unusable"; readonly reason: string }
  | {
      readonly kind: "on";
      readonly protocol: "http/protobuf" | "http/json";
      readonly sampler: SamplerSettings;
      readonly batch: BatchSettings;
    };

export type SamplerSettings = {
  readonly parentBased: boolean;
  /** From 0, none, to 1, all. */
  readonly ratio: number;
};

export type BatchSettings = {
  readonly scheduledDelayMillis?: number;
  readonly exportTimeoutMillis?: number;
  readonly maxQueueSize?: number;
  readonly maxExportBatchSize?: number;
};

export type Environment = Readonly<Record<string, string | undefined>>;

const SAMPLERS: ReadonlyMap<string, { parentBased: boolean; ratio: number | "argument" }> = new Map([
  ["always_on", { parentBased: false, ratio: 1 }],
  ["always_off", { parentBased: false, ratio: 0 }],
  ["traceidratio", { parentBased: false, ratio: "argument" }],
  ["parentbased_always_on", { parentBased: true, ratio: 1 }],
  ["parentbased_always_off", { parentBased: true, ratio: 0 }],
  ["parentbased_traceidratio", { parentBased: true, ratio: "argument" }],
]);

/**
 * Reads them. On when there is an endpoint, or `OTEL_TRACES_EXPORTER=otlp`; the endpoint itself, its headers, certificates,
 * compression and time-out are read by the exporter, and the service's name and attributes by the resource.
 *
 * What cannot be had fails open, as the specification asks: a service without traces takes calls all the same.
 */
export function readTraceSettings(env: Environment): TraceSettings {
  const read = (name: string): string | undefined => env[name]?.trim() || undefined;
  if (read("OTEL_SDK_DISABLED")?.toLowerCase() === "true") return { kind: "off" };
  const exporter = read("OTEL_TRACES_EXPORTER");
  if (exporter === "none") return { kind: "off" };
  const endpoint = read("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") ?? read("OTEL_EXPORTER_OTLP_ENDPOINT");
  if (endpoint === undefined && exporter === undefined) return { kind: "off" };
  if (exporter !== undefined && exporter !== "otlp") {
    return unusable("OTEL_TRACES_EXPORTER", exporter, "otlp and none");
  }
  const protocol = read("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") ?? read("OTEL_EXPORTER_OTLP_PROTOCOL") ?? "http/protobuf";
  if (protocol !== "http/protobuf" && protocol !== "http/json") {
    return unusable("OTEL_EXPORTER_OTLP_PROTOCOL", protocol, "http/protobuf and http/json");
  }
  const name = read("OTEL_TRACES_SAMPLER") ?? "parentbased_always_on";
  const known = SAMPLERS.get(name);
  if (known === undefined) return unusable("OTEL_TRACES_SAMPLER", name, [...SAMPLERS.keys()].join(", "));
  const argument = Number(read("OTEL_TRACES_SAMPLER_ARG") ?? "1");
  if (known.ratio === "argument" && !(argument >= 0 && argument <= 1)) {
    return unusable("OTEL_TRACES_SAMPLER_ARG", read("OTEL_TRACES_SAMPLER_ARG") ?? "", "numbers from 0 to 1");
  }
  const ratio = known.ratio === "argument" ? argument : known.ratio;
  return { kind: "on", protocol, sampler: { parentBased: known.parentBased, ratio }, batch: readBatch(read) };
}

function readBatch(read: (name: string) => string | undefined): BatchSettings {
  const number = (name: string, key: keyof BatchSettings): BatchSettings => {
    const value = Number(read(name));
    return Number.isInteger(value) && value > 0 ? { [key]: value } : {};
  };
  return {
    ...number("OTEL_BSP_SCHEDULE_DELAY", "scheduledDelayMillis"),
    ...number("OTEL_BSP_EXPORT_TIMEOUT", "exportTimeoutMillis"),
    ...number("OTEL_BSP_MAX_QUEUE_SIZE", "maxQueueSize"),
    ...number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "maxExportBatchSize"),
  };
}

function unusable(variable: string, value: string, known: string): TraceSettings {
  return { kind: "unusable", reason: `${variable} is ${value}, and known here are ${known}` };
}
