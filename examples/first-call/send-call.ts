/**
 * Stands for LiveKit: sends the webhooks of a recorded call to a running sayna-sip, signed with LIVEKIT_API_KEY and
 * LIVEKIT_API_SECRET, and says what became of each. Exit code 0 when all of them were delivered, 1 when not, 2 when it is used wrongly.
 */
import { createHash, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { AccessToken } from "livekit-server-sdk";
import { RECORDED_CALLS } from "../../src/demo/recorded-calls";

const PATIENCE_MS = 30_000;
const [service = "http://127.0.0.1:3001", host = "tenant-a.example.com"] = process.argv.slice(2);
const { LIVEKIT_API_KEY: apiKey, LIVEKIT_API_SECRET: apiSecret, SAYNA_SIP_TOKEN } = process.env;
if (apiKey === undefined || apiSecret === undefined) {
  process.stderr.write("Set LIVEKIT_API_KEY and LIVEKIT_API_SECRET to what the service's livekit block has.\n");
  process.exit(2);
}

const call = RECORDED_CALLS.answered;
const bodies = call.events.map(({ body }) => body);
const roomSid = /RM_\w+/.exec(bodies.join("\n"))?.[0] ?? "";
/** Each run is a call of its own: what came twice would be taken for LiveKit's repetition, and not be delivered again. */
const run = randomBytes(4).toString("hex");
const fresh = (text: string): string => text.replaceAll(/\b(RM|PA|EV)_\w{4}/g, `$1_${run}`);

const { ok, text } = await waitUntilReady();
if (!ok) fail(`${service} is not ready: ${text}`, "The service's log says why.");

for (const [i, body] of bodies.entries()) {
  const sent = fresh(body)
    .replaceAll(call.called, host)
    .replace(/"createdAt":\s*"\d+"/, `"createdAt":"${Math.floor(Date.now() / 1000)}"`);
  const status = await sendWebhook(sent);
  if (status !== 200) fail(`${call.events[i]?.name} was answered ${status}.`, "The service's log says why.");
}
say(`${bodies.length} events were acknowledged; the call is ${fresh(roomSid)}`);

type Delivery = { readonly state: string; readonly reason?: string; readonly attempt_count: number };
type Event = { readonly event: string; readonly state: string; readonly deliveries: readonly Delivery[] };
const isDelivered = ({ deliveries }: Event): boolean =>
  deliveries.length > 0 && deliveries.every(({ state }) => state === "delivered");

const deadline = Date.now() + PATIENCE_MS;
let events = await readEvents();
if (!events.every(isDelivered)) say(`waiting until all of them are delivered, for ${PATIENCE_MS / 1000} s at most`);
while (!events.every(isDelivered) && Date.now() < deadline) {
  await sleep(100);
  events = await readEvents();
}
for (const { event, state, deliveries } of events) {
  const became = deliveries.map((one) => `${one.state}${one.reason === undefined ? "" : `: ${one.reason}`}`);
  say(`  ${event.padEnd(20)}${became.join(", ") || state}`);
}
const arrived = events.filter(isDelivered).length;
say(`${arrived} of ${bodies.length} events were delivered to the hook of ${host}`);
if (arrived < bodies.length) fail("The call did not arrive as a whole.", "The service's log says why.");

async function waitUntilReady(): Promise<{ readonly ok: boolean; readonly text: string }> {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask("/health/ready");
    if (answer.ok || Date.now() > until) return answer;
    await sleep(100);
  }
}

async function ask(path: string): Promise<{ readonly ok: boolean; readonly text: string }> {
  const headers = SAYNA_SIP_TOKEN === undefined ? {} : { authorization: `Bearer ${SAYNA_SIP_TOKEN}` };
  try {
    const response = await fetch(`${service}${path}`, { headers, proxy: false });
    return { ok: response.ok, text: await response.text() };
  } catch (error) {
    return { ok: false, text: error instanceof Error ? error.message : String(error) };
  }
}

async function sendWebhook(body: string): Promise<number> {
  const token = new AccessToken(apiKey, apiSecret, { ttl: "5m" });
  token.sha256 = createHash("sha256").update(body).digest("base64");
  const headers = { authorization: await token.toJwt(), "content-type": "application/webhook+json" };
  const response = await fetch(`${service}/livekit/webhook`, { method: "POST", headers, body, proxy: false });
  await response.arrayBuffer();
  return response.status;
}

async function readEvents(): Promise<readonly Event[]> {
  const answer = await ask(`/sip/calls/${fresh(roomSid)}`);
  if (!answer.ok) fail(`The call could not be read: ${answer.text}`, "With auth.required set SAYNA_SIP_TOKEN.");
  return (JSON.parse(answer.text) as { call: { events: readonly Event[] } }).call.events;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function fail(what: string, hint: string): never {
  process.stderr.write(`${what}\n${hint}\n`);
  process.exit(1);
}
