import { DELIVERY_STATE_NAMES, type DeliveryState, type TimelineEvent } from "../../../src/contracts/history";

/** `events.state` */
export const EVENT_STATES = { routed: 0, held: 1, unmatched: 2 } as const;

/** `deliveries.state` */
export const DELIVERY_STATES = { pending: 0, delivered: 1, dead: 2, expired: 3, cancelled: 4 } as const;

export function eventStateName(state: number): TimelineEvent["state"] {
  if (state === EVENT_STATES.routed) return "routed";
  return state === EVENT_STATES.held ? "held" : "unmatched";
}

export function deliveryStateName(state: number): DeliveryState {
  return DELIVERY_STATE_NAMES[state] ?? "pending";
}
