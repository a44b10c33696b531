import { type Agent, request as httpsRequest } from "node:https";
import type { ClientRequest } from "node:http";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { ClientCertificate, Peer } from "../../../src/contracts/sender";
import { readAnswer } from "./answer-reader";
import { type AddressRule, forbiddenMessage } from "./checked-lookup";
import { describePeer } from "./describe-peer";
import { failure, failureFrom, type Failure, type Outcome, type Step } from "./failure";
import type { Target } from "./target";

export type ExchangeOptions = {
  readonly target: Target;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly agent: Agent;
  readonly rule: AddressRule;
  readonly clientCertificate?: ClientCertificate | undefined;
  /** See `SendRequest`. */
  readonly onPeer?: ((peer: Peer) => void) | undefined;
};

export type ExchangeEnd = {
  readonly outcome: Outcome;
  /** A reused connection ended before a byte of the answer: the peer had closed it, the request may be repeated. */
  readonly stale: boolean;
};

export type Exchange = {
  /** Never rejects. */
  readonly ended: Promise<ExchangeEnd>;
  /** Ends it now with this failure and destroys the connection. */
  readonly abort: (reason: (step: Step) => Failure) => void;
};

/** All response headers together; more is `HPE_HEADER_OVERFLOW`. */
const MAX_HEADER_BYTES = 16 * 1024;

/** A peer that sends these without an end would take the event loop: the limit of headers is each one's own. */
const MAX_INTERIM_ANSWERS = 16;

/** One request and its answer on one connection. */
export function startExchange(options: ExchangeOptions): Exchange {
  const { promise: ended, resolve } = Promise.withResolvers<ExchangeEnd>();
  let step: Step = options.target.isAddress ? "connect" : "dns";
  let socket: Socket | undefined;
  let bytesReadBefore = 0;

  // Only the first end counts. Every listener stays on after it: an error that nobody hears ends the process.
  const end = (outcome: Outcome, stale = false): void => resolve({ outcome, stale });

  let request: ClientRequest;
  try {
    request = openRequest(options);
  } catch (error) {
    // Invalid headers, an invalid path and broken TLS settings are thrown, not emitted.
    end(failureFrom(error, "request"));
    return { ended, abort: () => undefined };
  }

  const abort = (reason: (step: Step) => Failure): void => {
    end(reason(step));
    request.destroy();
  };

  request.on("socket", (assigned) => {
    socket = assigned;
    bytesReadBefore = assigned.bytesRead;
    if (request.reusedSocket) {
      step = "request";
      return;
    }
    assigned.once("lookup", (error) => {
      if (error === null) step = "connect";
    });
    assigned.once("connect", () => {
      step = "tls";
      // The address was judged when it was looked up, or read from the URL; this is the one really used.
      const address = assigned.remoteAddress ?? "";
      const reason = options.rule(address);
      if (reason === undefined) return options.onPeer?.({ address });
      abort(() => failure("address", "ADDRESS_FORBIDDEN", forbiddenMessage(options.target.host, reason)));
    });
    assigned.once("secureConnect", () => {
      step = "request";
      if (options.onPeer === undefined || !(assigned instanceof TLSSocket)) return;
      options.onPeer({ address: assigned.remoteAddress ?? "", tls: describePeer(assigned) });
    });
  });

  let interim = 0;
  request.on("information", () => {
    if (++interim <= MAX_INTERIM_ANSWERS) return;
    abort(() =>
      failure("answer", "TOO_MANY_INTERIM_ANSWERS", `More than ${MAX_INTERIM_ANSWERS} answers with 1xx came`),
    );
  });

  let answerComplete = () => false;
  request.on("response", (response) => {
    step = "answer";
    answerComplete = () => response.complete;
    readAnswer(response, (outcome) => {
      end(outcome);
      // An answer that is not read to its end would keep its connection for ever.
      if (!response.complete) request.destroy();
    });
  });

  request.on("error", (error) => {
    // Bytes behind a whole answer (a content-length that is too small) are nothing that the answer's status depends on;
    // its own `end` follows.
    if (answerComplete()) return;
    const silent = step === "request" && socket?.bytesRead === bytesReadBefore;
    end(failureFrom(error, step), request.reusedSocket && silent);
  });

  request.on("close", () => {
    // The only event after `101 Switching Protocols`. After an answer that ends with its connection it comes before the
    // answer's own `end`.
    if (step !== "answer") end(failure(step, "NO_ANSWER", "The connection was closed without an answer"));
  });

  return { ended, abort };
}

function openRequest({ target, headers, body, agent, clientCertificate }: ExchangeOptions): ClientRequest {
  const request = httpsRequest({
    agent,
    method: "POST",
    host: target.host,
    port: target.port,
    path: target.path,
    servername: target.servername,
    // Of the request, not of the agent: the agent keeps connections apart by it.
    ...clientCertificate,
    headers: { ...headers, "content-length": body.byteLength.toString() },
    maxHeaderSize: MAX_HEADER_BYTES,
  });
  // Together with content-length it would leave the body's end to the receiver's reading (RFC 9112 section 6.1).
  request.removeHeader("transfer-encoding");
  request.end(body);
  return request;
}
