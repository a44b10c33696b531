/** What a test sends: the bytes, and the id that is its `webhook-id`. */
export type ExampleEvent = { readonly eventId: string; readonly eventName: string; readonly body: Uint8Array };

export const EXAMPLE_EVENT_NAME = "room_finished";

/** The header that tells a test from a delivery. */
export const TEST_HEADER = "X-Sayna-Test";

/**
 * A webhook as LiveKit sends it: the end of a call that there never was. A receiver meets such a one whenever it has forgotten
 * a call, so that it does no harm where the header is not looked at; and its form is one that receivers know, so that what is
 * answered is what a delivery would be answered.
 *
 * @param unique makes its ids; @param now ms since the epoch.
 */
export function exampleEvent(roomPrefix: string, unique: string, now: number): ExampleEvent {
  const eventId = `EV_test_${unique}`;
  const room = { sid: `RM_test_${unique}`, name: `${roomPrefix}test` };
  const json = { event: EXAMPLE_EVENT_NAME, room, id: eventId, createdAt: String(Math.floor(now / 1000)) };
  return { eventId, eventName: EXAMPLE_EVENT_NAME, body: new TextEncoder().encode(JSON.stringify(json)) };
}
