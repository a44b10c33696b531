import { caller, webhookJson } from "./webhooks";
import type { TlsReceiver } from "./tls-receiver";

type Send = (body: string) => Promise<boolean>;

/** The webhooks of one call to `NAME.example.com`, in order; each id tells the call and its number. */
export function callWebhooks(tenant: string, call: string, count: number): { id: string; body: string }[] {
  const room = { sid: `RM_${call}`, name: `sip-${call}` };
  return Array.from({ length: count }, (_, n) => {
    const id = `EV_${call}_${n}`;
    if (n === 0) return { id, body: JSON.stringify(webhookJson("room_started", { room, id })) };
    const participant = n === 1 ? caller(`PA_${call}`, `${tenant}.example.com`) : { sid: `PA_${call}` };
    const name = n === 1 ? "participant_joined" : "track_published";
    return { id, body: JSON.stringify(webhookJson(name, { room, id, participant })) };
  });
}

/** Calls that go on until they are ended: each room's webhooks one after the other, rooms beside each other, as LiveKit sends. */
export class CallLoad {
  /** Ids by tenant, of what was acknowledged: what must arrive. */
  readonly acknowledged = new Map<string, string[]>();
  #running = true;
  #calls = 0;
  readonly #rooms: Promise<void>[];

  constructor(tenants: readonly string[], rooms: number, send: Send, pauseMs = 10) {
    this.#rooms = Array.from({ length: rooms }, (_, i) => this.#run(tenants[i % tenants.length] ?? "", send, pauseMs));
  }

  get count(): number {
    return [...this.acknowledged.values()].reduce((sum, ids) => sum + ids.length, 0);
  }

  /** Lets the calls under way end. */
  async end(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#rooms);
  }

  async #run(tenant: string, send: Send, pauseMs: number): Promise<void> {
    const ids = this.acknowledged.get(tenant) ?? [];
    this.acknowledged.set(tenant, ids);
    while (this.#running) {
      for (const { id, body } of callWebhooks(tenant, `c${this.#calls++}`, 6)) {
        if (await send(body)) ids.push(id);
        await Bun.sleep(pauseMs);
      }
    }
  }
}

/** What a tenant was sent, and what it has taken. */
export class Arrivals {
  readonly taken = new Set<string>();
  /** Of each call the numbers, in the order in which they came for the first time. */
  readonly calls = new Map<string, number[]>();
  repetitions = 0;
  readonly #seen = new Set<string>();

  constructor(receiver: TlsReceiver, delayMs: number) {
    receiver.respondWith(async (request) => {
      const id = request.header("webhook-id") ?? "";
      this.#note(id);
      await Bun.sleep(delayMs);
      this.taken.add(id);
      return {};
    });
  }

  /** Those of these that were not taken. */
  missing(ids: readonly string[]): string[] {
    return ids.filter((id) => !this.taken.has(id));
  }

  /** Calls whose events did not come in their order. */
  get disordered(): string[] {
    return [...this.calls].flatMap(([call, numbers]) => {
      return numbers.some((n, i) => i > 0 && n < (numbers[i - 1] ?? 0)) ? [`${call}: ${numbers.join(" ")}`] : [];
    });
  }

  #note(id: string): void {
    if (this.#seen.has(id)) {
      this.repetitions++;
      return;
    }
    this.#seen.add(id);
    const [, call = "", n = ""] = id.split("_");
    this.calls.set(call, [...(this.calls.get(call) ?? []), Number(n)]);
  }
}
