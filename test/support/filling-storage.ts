import type { Clock } from "../../src/contracts/clock";
import type { IncomingEvent, Storage } from "../../src/contracts/storage";
import { hookIdFrom } from "../../src/domain/ids";
import { caller, incoming, matchOf, webhookJson } from "./webhooks";

const HOOK = hookIdFrom("hook-a");
const BODY_BYTES = 1000;

/** Keeps events, each of a call of its own, and remembers what was acknowledged. */
export function fillingStorage(storage: Storage, clock: Clock) {
  const acknowledged: string[] = [];
  let refused: IncomingEvent | undefined;

  function next(): IncomingEvent {
    const sid = `RM_${crypto.randomUUID()}`;
    const json = webhookJson("participant_joined", {
      room: { sid, name: "sip-1" },
      participant: caller(`PA_${sid}`, "a.example.com"),
      pad: "x".repeat(BODY_BYTES),
    });
    return incoming(json, matchOf(HOOK), clock.now());
  }

  async function keep(event: IncomingEvent): Promise<"kept" | "duplicate" | "refused"> {
    try {
      const [result] = await storage.commit([event], () => "ordered");
      if (result?.kind === "kept") acknowledged.push(event.event.id);
      return result?.kind ?? "refused";
    } catch {
      return "refused";
    }
  }

  async function deliverSome(limit: number): Promise<string[]> {
    const { deliveries } = await storage.claim(HOOK, { now: Infinity, limit, busy: new Set() });
    const at = clock.now();
    const attempt = { startedAt: at, durationMs: 3, status: 200, error: undefined, answerStart: undefined };
    await storage.settle(
      deliveries.map((delivery) => ({ delivery, at, attempt, outcome: { kind: "delivered" as const } })),
    );
    return deliveries.map(({ eventId }) => eventId);
  }

  /** Keeps events in one commit: the disk is synced once. */
  async function keepTogether(count: number): Promise<void> {
    const events = Array.from({ length: count }, next);
    const results = await storage.commit(events, () => "ordered");
    if (results.some(({ kind }) => kind !== "kept")) throw new Error("an event was not kept");
    acknowledged.push(...events.map(({ event }) => event.id));
  }

  return {
    acknowledged: acknowledged as readonly string[],
    keep,
    keepTogether,
    deliverSome,
    /** The first event that could not be kept. */
    get refused(): IncomingEvent {
      if (refused === undefined) throw new Error("nothing was refused");
      return refused;
    },
    async keepSome(count: number): Promise<void> {
      for (let i = 0; i < count; i++) {
        if ((await keep(next())) !== "kept") throw new Error(`event ${i} was not kept`);
      }
    },
    async keepUntilFull(): Promise<void> {
      for (;;) {
        const event = next();
        if ((await keep(event)) === "kept") continue;
        refused = event;
        return;
      }
    },
    /** Delivers all that is pending; the ids of the events. */
    async deliverAll(): Promise<string[]> {
      const delivered: string[] = [];
      for (;;) {
        const some = await deliverSome(50);
        if (some.length === 0) return delivered;
        delivered.push(...some);
      }
    },
  };
}
