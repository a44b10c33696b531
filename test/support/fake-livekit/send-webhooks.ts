import { sendWebhook } from "../livekit-sender";
import type { MethodContext, FakeState } from "./state";

export type SendWebhooksOptions = {
  readonly state: FakeState;
  readonly key: { readonly apiKey: string; readonly apiSecret: string };
  readonly now: () => number;
};

/** Tells of rooms as LiveKit does: by its clock, signed with its key; once, where LiveKit tries five times. */
export function sendWebhooks({ state, key, now }: SendWebhooksOptions): MethodContext["tell"] {
  return (event, room) => {
    const { urls, key: signer = key, delayMs = 0 } = state.webhooks;
    const createdAt = String(Math.floor(now() / 1000));
    const camel = {
      sid: room["sid"],
      name: room["name"],
      emptyTimeout: room["empty_timeout"],
      departureTimeout: room["departure_timeout"],
      creationTime: room["creation_time"],
      creationTimeMs: room["creation_time_ms"],
    };
    const id = `EV_${crypto.randomUUID().replaceAll("-", "").slice(0, 12)}`;
    const body = JSON.stringify({ event, room: camel, id, createdAt });
    const token = { ...signer, now: Math.floor(now() / 1000) };
    for (const url of urls) {
      setTimeout(() => void sendWebhook(url, body, token).catch(() => undefined), delayMs);
    }
  };
}
