import type { Peer, SendResult } from "../../../src/contracts/sender";
import type { AttemptRecord } from "../../../src/contracts/storage";
import type { Hook } from "../../../src/domain/hook";
import { eventId } from "../../../src/domain/ids";
import type { Verdict } from "../../../src/domain/retry-policy";
import { attemptDelivery, type AttemptOptions } from "../dispatcher/attempt-delivery";
import { parseTarget } from "../sender/target";
import { exampleEvent, TEST_HEADER } from "./example-event";
import { readCertificate } from "./read-certificate";

export type TestHookOptions = AttemptOptions & { readonly roomPrefix: string };

/** What a delivery would meet now. */
export type HookTest = {
  /** The `webhook-id` that was sent, for finding it in the receiver's log; sent or not. */
  readonly webhookId: string;
  readonly attempt: AttemptRecord;
  readonly verdict: Verdict;
  /** The headers that it was signed by; none when there is neither a secret nor a key, or one of them cannot be read. */
  readonly signatures: readonly string[];
  /** False when it was not sent, because the hook may not reach this address (delivery rule 9). */
  readonly addressAllowed: boolean;
  /** Undefined when no connection came about. */
  readonly peer: Peer | undefined;
};

const SIGNATURES = ["webhook-signature", "X-Sayna-Signature"] as const;
const LOOK_MS = 3_000;

/**
 * Sends a signed example to a hook, by the way of a delivery: the same secrets, credentials, address check, trust and deadline,
 * over a connection of its own. Nothing is stored, no breaker counts it, and a paused hook is sent it too.
 */
export async function testHook(hook: Hook, { roomPrefix, ...options }: TestHookOptions): Promise<HookTest> {
  const { eventId: webhookId, ...example } = exampleEvent(roomPrefix, crypto.randomUUID(), options.clock.now());
  let peer: Peer | undefined;
  let headers: Readonly<Record<string, string>> = {};
  let result: SendResult | undefined;
  const delivery = {
    ...example,
    eventId: eventId(webhookId),
    contentType: "application/webhook+json",
    receivedAt: options.clock.now(),
    ...NEVER_QUEUED,
    hook: hook.id,
  };
  const { attempt, verdict } = await attemptDelivery(delivery, hook, {
    ...options,
    sender: {
      ...options.sender,
      async send(request) {
        headers = request.headers;
        result = await options.sender.send({
          ...request,
          headers: { ...headers, [TEST_HEADER]: "true" },
          onPeer: (seen) => (peer = seen),
        });
        return result;
      },
    },
  });
  const failed = result?.kind === "failed" ? result : undefined;
  // The sender has judged the address before it told of it.
  if (peer !== undefined && failed?.step === "tls") peer = { ...peer, ...(await lookAgain(hook.url, peer)) };
  return {
    webhookId,
    attempt,
    verdict,
    signatures: SIGNATURES.filter((name) => headers[name] !== undefined),
    addressAllowed: failed?.code !== "ADDRESS_FORBIDDEN",
    peer,
  };
}

/** What only a queue gives a delivery. */
const NEVER_QUEUED = {
  id: 0,
  lane: 0,
  roomSid: undefined,
  attempts: 0,
  failures: 0,
  refusals: 0,
  replay: false,
} as const;

async function lookAgain(url: string, { address }: Peer): Promise<Pick<Peer, "tls">> {
  const target = parseTarget(url);
  if (target === undefined) return {};
  const { port, servername } = target;
  const tls = await readCertificate({ address, port, servername, deadlineMs: LOOK_MS });
  return tls === undefined ? {} : { tls };
}
