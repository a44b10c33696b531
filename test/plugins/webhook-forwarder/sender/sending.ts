import type { SendRequest, SendResult } from "../../../../src/contracts/sender";
import { parseAddressRange, type AddressRange } from "../../../../src/domain/address-range";
import {
  createSender,
  type GuardedSender,
  type SenderOptions,
} from "../../../../plugins/webhook-forwarder/sender/create-sender";
import type { LookupAll } from "../../../../plugins/webhook-forwarder/sender/checked-lookup";
import { testCa } from "../../../support/test-ca";
import {
  startTlsReceiver,
  type Answer,
  type TlsReceiver,
  type TlsReceiverOptions,
} from "../../../support/tls-receiver";

export type Sending = {
  readonly receiver: TlsReceiver;
  readonly sender: GuardedSender;
  /** Sends to the receiver, to `https://localhost:<port>/hook` where nothing else is said. */
  readonly send: (request?: Partial<SendRequest>) => Promise<SendResult>;
};

const running: Sending[] = [];

/** A receiver and a sender that trusts its certificate; `stopSending` ends both. */
export async function startSending(
  respond?: () => Answer,
  options: { sender?: Partial<SenderOptions>; receiver?: Partial<TlsReceiverOptions> } = {},
): Promise<Sending> {
  const ca = await testCa();
  const receiver = await startTlsReceiver({ ca, ...(respond === undefined ? {} : { respond }), ...options.receiver });
  const sender = createSender({ allowedRanges: [], ca: ca.cert, ...options.sender });
  const sending: Sending = {
    receiver,
    sender,
    send: (request) =>
      sender.send({
        url: receiver.url("/hook"),
        headers: {},
        body: Buffer.from("{}"),
        deadlineMs: 5000,
        guarded: false,
        ...request,
      }),
  };
  running.push(sending);
  return sending;
}

export async function stopSending(): Promise<void> {
  for (const { sender, receiver } of running.splice(0)) {
    sender.close();
    await receiver.stop();
  }
}

/** Resolves every name to these addresses, the next list at each call and the last one for ever; `asked` counts. */
export function resolvingTo(...answers: readonly (readonly string[])[]): { lookup: LookupAll; asked: string[] } {
  const asked: string[] = [];
  const lookup: LookupAll = (hostname, _options, callback) => {
    const addresses = answers[Math.min(asked.length, answers.length - 1)] ?? [];
    asked.push(hostname);
    queueMicrotask(() =>
      callback(
        null,
        addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
      ),
    );
  };
  return { lookup, asked };
}

export function range(text: string): AddressRange {
  const parsed = parseAddressRange(text);
  if (parsed === undefined) throw new Error(`${text} is no range`);
  return parsed;
}
