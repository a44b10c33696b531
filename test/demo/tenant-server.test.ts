import { expect, test } from "bun:test";
import { Webhook } from "standardwebhooks";
import { findSignatureProblem } from "../../src/demo/tenant-server";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const BODY = '{"event":"room_started", "id":"EV_1"}';

function signed(secret: string, signedAt = new Date()): Headers {
  return new Headers({
    "webhook-id": "EV_1",
    "webhook-timestamp": String(Math.floor(signedAt.getTime() / 1000)),
    "webhook-signature": new Webhook(secret).sign("EV_1", signedAt, BODY),
  });
}

test("a tenant finds a right signature right", () => {
  expect(findSignatureProblem(SECRET, Buffer.from(BODY), signed(SECRET))).toBeUndefined();
});

test.each([
  ["of another secret", BODY, signed(`whsec_${"A".repeat(32)}`), "No matching signature found"],
  ["of another body", BODY.replace(" ", ""), signed(SECRET), "No matching signature found"],
  ["of an hour ago", BODY, signed(SECRET, new Date(Date.now() - 3_600_000)), "Message timestamp too old"],
  ["that is not there", BODY, new Headers(), "Missing required headers"],
])("a tenant refuses a signature %s", (_, body, headers, problem) => {
  expect(findSignatureProblem(SECRET, Buffer.from(body), headers)).toBe(problem);
});
