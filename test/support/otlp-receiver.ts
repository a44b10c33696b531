import { gunzipSync } from "node:zlib";

export type Span = {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  /** OTLP's number: 2 SERVER, 3 CLIENT. */
  readonly kind: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly ms: number;
  readonly failed: boolean;
  readonly resource: Readonly<Record<string, unknown>>;
};

type Value = { stringValue?: string; intValue?: number | string; doubleValue?: number; boolValue?: boolean };
type Attributes = readonly { key: string; value: Value }[];
type Document = {
  resourceSpans: {
    resource: { attributes: Attributes };
    scopeSpans: {
      spans: {
        name: string;
        traceId: string;
        spanId: string;
        parentSpanId?: string;
        kind: number;
        attributes: Attributes;
        links?: { traceId: string; spanId: string }[];
        startTimeUnixNano: string;
        endTimeUnixNano: string;
        status: { code?: number };
      }[];
    }[];
  }[];
};

/** What an OpenTelemetry collector is to the service: OTLP over HTTP, whose JSON is read. */
export class OtlpReceiver {
  readonly spans: Span[] = [];
  /** The requests so far: path, content type, bytes. */
  readonly requests: { readonly path: string; readonly type: string | null; readonly bytes: number }[] = [];
  readonly #server: Bun.Server<undefined>;

  constructor() {
    this.#server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: async (request) => {
        const sent = new Uint8Array(await request.arrayBuffer());
        const body = request.headers.get("content-encoding") === "gzip" ? gunzipSync(sent) : sent;
        const type = request.headers.get("content-type");
        this.requests.push({ path: new URL(request.url).pathname, type, bytes: body.length });
        if (type === "application/json") this.#read(JSON.parse(new TextDecoder().decode(body)) as Document);
        return new Response(type === "application/json" ? "{}" : new Uint8Array(), {
          headers: { "content-type": type ?? "" },
        });
      },
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  async waitFor(count: number, timeoutMs = 60_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (this.spans.length < count) {
      if (Date.now() > deadline) throw new Error(`there are ${this.spans.length} spans, not ${count}`);
      await Bun.sleep(20);
    }
  }

  stop(): Promise<void> {
    return this.#server.stop(true);
  }

  #read({ resourceSpans }: Document): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      for (const span of scopeSpans.flatMap(({ spans }) => spans)) {
        this.spans.push({
          name: span.name,
          traceId: span.traceId,
          spanId: span.spanId,
          parentSpanId: span.parentSpanId === "" ? undefined : span.parentSpanId,
          kind: span.kind,
          attributes: toRecord(span.attributes),
          links: (span.links ?? []).map(({ traceId, spanId }) => ({ traceId, spanId })),
          ms: Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6,
          failed: span.status.code === 2,
          resource: toRecord(resource.attributes),
        });
      }
    }
  }
}

function toRecord(attributes: Attributes): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value.stringValue ?? value.boolValue ?? value.doubleValue ?? Number(value.intValue),
    ]),
  );
}
