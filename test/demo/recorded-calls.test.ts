import { expect, test } from "bun:test";
import { RECORDED_CALLS } from "../../src/demo/recorded-calls";
import { recordedWebhooks } from "../support/recordings";

test.each([
  ["answered", "answered-call", 10],
  ["cancelled", "to-headers", 6],
  ["duringOutage", "to-headers", 6],
  ["besideOutage", "to-headers", 6],
] as const)("the demo's call %j is the one that LiveKit sent, to the byte", (name, file, count) => {
  const { caller, called, events } = RECORDED_CALLS[name];
  const sent = recordedWebhooks(file).filter(({ body }) => body.includes(`"name":"sip-_${caller}_`));
  expect(events.map(({ body }) => body)).toEqual(sent.map(({ body }) => body));
  expect(events).toHaveLength(count);
  const telling = events.filter(({ tellsHost }) => tellsHost);
  expect(telling.map((event) => event.name)).toEqual(["participant_joined", "participant_left"]);
  for (const { body } of telling) expect(body).toContain(`@${called}`);
});
