import { hash } from "node:crypto";
import { RandomIdGenerator, type IdGenerator } from "@opentelemetry/sdk-trace";

export type EventIds = { readonly traceId: string; readonly spanId: string };

/**
 * The trace of an event, and in it the span of the webhook that brought it: made of the event's id, so that attempts after a
 * restart, hours later or by another instance are in the event's own trace without anything being kept for it.
 */
export function idsOfEvent(eventId: string): EventIds {
  const digest = hash("sha256", eventId, "hex");
  return { traceId: digest.slice(0, 32), spanId: digest.slice(32, 48) };
}

/** Gives the next span the ids that it is told, and all others random ones. */
export class GivenIds implements IdGenerator {
  readonly #random = new RandomIdGenerator();
  #given: EventIds | undefined;

  generateTraceId(): string {
    return this.#given?.traceId ?? this.#random.generateTraceId();
  }

  generateSpanId(): string {
    return this.#given?.spanId ?? this.#random.generateSpanId();
  }

  /** `start` starts a span, and nothing but that. */
  with<Span>(ids: EventIds, start: () => Span): Span {
    this.#given = ids;
    try {
      return start();
    } finally {
      this.#given = undefined;
    }
  }
}
