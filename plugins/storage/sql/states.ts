/** `events.state` */
export const EVENT_STATES = { routed: 0, held: 1, unmatched: 2 } as const;

/** `deliveries.state` */
export const DELIVERY_STATES = { pending: 0, delivered: 1, dead: 2, expired: 3, cancelled: 4 } as const;
