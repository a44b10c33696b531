import { diag, DiagLogLevel, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Context } from "@opentelemetry/api";
import { detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type SpanExporter,
} from "@opentelemetry/sdk-trace";
import type { Clock } from "../../src/contracts/clock";
import type { Logger } from "../../src/contracts/logger";
import type { AttemptBegun, AttemptTrace, ReceivedWebhook, Tracing } from "../../src/contracts/tracing";
import { GivenIds, idsOfEvent } from "./event-ids";
import { formatTraceparent, parseTraceparent } from "./traceparent";
import type { SamplerSettings, TraceSettings } from "./trace-settings";

export type TracingOptions = {
  readonly settings: Extract<TraceSettings, { kind: "on" }>;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Instead of the one that the settings ask for. */
  readonly exporter?: SpanExporter;
};

export type ClosableTracing = Tracing & {
  /** Sends what is left; gives up after `graceMs`. */
  close(graceMs: number): Promise<void>;
};

/** A collector that is away would be told of with each batch. */
const TELL_EVERY_MS = 60_000;
const WEBHOOK = "POST /livekit/webhook";

/**
 * Traces by OpenTelemetry's own packages: of each event one, whose ids are made of the event's. Its root is the webhook that
 * was kept, below it the commit and each attempt; a trace that the webhook came with is linked. Whether a trace is sampled
 * follows from its id too, so that all instances and restarts decide alike.
 */
export async function createTracing(options: TracingOptions): Promise<ClosableTracing> {
  const { settings, version, clock } = options;
  tellProblems(options);
  const ids = new GivenIds();
  const provider = new TracerProvider({
    idGenerator: ids,
    sampler: samplerOf(settings.sampler),
    resource: resourceFromAttributes({ "service.name": "sayna-sip", "service.version": version }).merge(
      detectResources({ detectors: [envDetector] }),
    ),
    spanProcessors: [
      new BatchSpanProcessor({
        ...settings.batch,
        exporter: options.exporter ?? (await exporterOf(settings.protocol)),
      }),
    ],
  });
  const tracer = provider.getTracer("sayna-sip", version);

  /** Below the event's root, wherever and whenever that was written. */
  function below(eventId: string): Context {
    const event = idsOfEvent(eventId);
    // Started to learn whether it is sampled, and never ended: nothing is sent of it.
    const root = ids.with(event, () => tracer.startSpan(WEBHOOK, { kind: SpanKind.SERVER }, ROOT_CONTEXT));
    const { traceFlags } = root.spanContext();
    return trace.setSpanContext(ROOT_CONTEXT, { ...event, traceFlags, isRemote: true });
  }

  function received({ eventId, receivedAt, answeredAfter, result, ...webhook }: ReceivedWebhook): void {
    const from = parseTraceparent(webhook.traceparent);
    const about = {
      kind: SpanKind.SERVER,
      startTime: receivedAt,
      links: from === undefined ? [] : [{ context: from }],
      attributes: {
        "http.request.method": "POST",
        "http.route": "/livekit/webhook",
        "http.response.status_code": result === "refused" ? 503 : 200,
        "sayna_sip.result": result,
        ...describe(eventId, webhook),
      },
    };
    // LiveKit's repetitions are beside the webhook that was kept: the root is that one.
    const span =
      result === "kept"
        ? ids.with(idsOfEvent(eventId), () => tracer.startSpan(WEBHOOK, about, ROOT_CONTEXT))
        : tracer.startSpan(WEBHOOK, about, below(eventId));
    if (result === "refused") span.setStatus({ code: SpanStatusCode.ERROR });
    const end = receivedAt + answeredAfter;
    if (webhook.commitBegunAfter !== undefined) {
      const startTime = receivedAt + webhook.commitBegunAfter;
      tracer.startSpan("commit", { startTime }, trace.setSpan(ROOT_CONTEXT, span)).end(end);
    }
    span.end(end);
  }

  function attempt({ eventId, hook, url, attempt: count, ...event }: AttemptBegun): AttemptTrace {
    const startTime = clock.now();
    const begun = clock.monotonic();
    const attributes = {
      "http.request.method": "POST",
      // The whole url may hold a secret.
      "server.address": URL.parse(url)?.hostname ?? "",
      "http.request.resend_count": count - 1,
      "sayna_sip.hook": hook,
      ...describe(eventId, event),
    };
    const span = tracer.startSpan("deliver", { kind: SpanKind.CLIENT, startTime, attributes }, below(eventId));
    return {
      traceparent: formatTraceparent(span.spanContext()),
      end({ verdict, status, error }) {
        span.setAttribute("sayna_sip.verdict", verdict);
        if (status !== undefined) span.setAttribute("http.response.status_code", status);
        if (verdict !== "success") {
          span.setAttribute("error.type", error ?? String(status));
          span.setStatus({ code: SpanStatusCode.ERROR });
        }
        span.end(startTime + clock.monotonic() - begun);
      },
    };
  }

  return {
    received,
    attempt,
    async close(graceMs) {
      // Fails open because traces are not worth a late end.
      await Promise.race([
        provider.shutdown().catch(() => {}),
        new Promise((done) => setTimeout(done, graceMs).unref()),
      ]);
    },
  };
}

function describe(eventId: string, { eventName, roomSid }: Pick<AttemptBegun, "eventName" | "roomSid">) {
  return {
    "sayna_sip.event.id": eventId,
    "sayna_sip.event.name": eventName,
    ...(roomSid === undefined ? {} : { "sayna_sip.room.sid": roomSid }),
  };
}

function samplerOf({ parentBased, ratio }: SamplerSettings) {
  const root = new TraceIdRatioBasedSampler(ratio);
  return parentBased ? new ParentBasedSampler({ root }) : root;
}

async function exporterOf(protocol: "http/protobuf" | "http/json"): Promise<SpanExporter> {
  const { OTLPTraceExporter } =
    protocol === "http/json"
      ? await import("@opentelemetry/exporter-trace-otlp-http")
      : await import("@opentelemetry/exporter-trace-otlp-proto");
  return new OTLPTraceExporter();
}

function tellProblems({ clock, log }: Pick<TracingOptions, "clock" | "log">): void {
  let toldAt = -Infinity;
  const ignore = () => {};
  const tell = (message: string) => {
    const now = clock.monotonic();
    if (now - toldAt < TELL_EVERY_MS) return;
    toldAt = now;
    log.warn({ problem: message.slice(0, 500) }, "Traces cannot be sent, or not as they were asked for");
  };
  diag.setLogger(
    { error: tell, warn: tell, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}
