import { sendLikeLiveKit } from "../support/livekit-sender";
import { callWebhooks, type CallWebhook } from "./call-webhooks";
import { Chance } from "./chance";

/** LiveKit's waits are seconds; shorter ones bring more events in the same time. */
const PATIENCE = Array.from({ length: 6000 }, () => 100);

export type LoadOptions = {
  readonly seed: number;
  /** Where the service listens now. */
  readonly url: () => string;
  readonly tenants: readonly [string, ...string[]];
  readonly callsAtOnce: number;
  /** A pause of up to so long after each event. */
  readonly pauseMs: number;
  /** How likely it is that a room is shared with a second tenant. */
  readonly shared?: number;
  /** Goes before the calls' names, for several loads on one service. */
  readonly prefix?: string;
};

export type AcknowledgedWebhook = CallWebhook & {
  /** When the 200 was there, ms since the epoch. */
  readonly acknowledgedAt: number;
};

/** Calls beside each other, each one's events one after the other and repeated until they are taken, as LiveKit does. */
export class Load {
  readonly acknowledged: AcknowledgedWebhook[] = [];
  /** By id, acknowledged or not. */
  readonly sent = new Map<string, CallWebhook>();
  calls = 0;
  /** The latest moment at which something was sent that is acknowledged by now, ms since the epoch. */
  lastTakenSentAt = 0;
  readonly #options: LoadOptions;
  readonly #senders: readonly Promise<void>[];
  #running = true;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#senders = Array.from({ length: options.callsAtOnce }, (_, i) => this.#sendCalls(i));
  }

  /** Sends no more calls; resolves when those under way have sent their last event. */
  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#senders);
  }

  async #sendCalls(sender: number): Promise<void> {
    const { seed, url, tenants, shared = 0, prefix = "", pauseMs } = this.#options;
    const chance = Chance.of(seed, `${prefix}sender ${sender}`);
    for (let n = 0; ; n++) {
      if (!this.#running) return;
      this.calls++;
      const tenant = chance.pick(tenants);
      const other = chance.pick(tenants);
      const both = chance.happens(shared) && other !== tenant;
      for (const webhook of callWebhooks(`${prefix}${sender}x${n}`, both ? [tenant, other] : [tenant])) {
        this.sent.set(webhook.id, webhook);
        const sentAt = Date.now();
        const { delivered } = await sendLikeLiveKit(url, webhook.body, PATIENCE);
        if (delivered) {
          this.acknowledged.push({ ...webhook, acknowledgedAt: Date.now() });
          this.lastTakenSentAt = Math.max(this.lastTakenSentAt, sentAt);
        }
        await Bun.sleep(chance.int(0, pauseMs));
      }
    }
  }
}
