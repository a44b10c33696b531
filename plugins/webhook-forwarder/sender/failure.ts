import type { FailedStep, SendResult } from "../../../src/contracts/sender";

type WithoutDuration<Result> = Result extends unknown ? Omit<Result, "durationMs"> : never;

/** What came of an attempt, before its time is added. */
export type Outcome = WithoutDuration<SendResult>;
export type Failure = Extract<Outcome, { kind: "failed" }>;

/** How far an attempt has come. */
export type Step = Exclude<FailedStep, "address" | "deadline">;

/** The codes that are ours; any other is Node's, OpenSSL's or the HTTP parser's. */
export type OwnCode =
  /** The URL is not an `https:` URL. */
  | "URL_INVALID"
  /** A guarded hook's host is, or resolves to, an address that such a hook may not reach. */
  | "ADDRESS_FORBIDDEN"
  /** The host exists, but has no address. */
  | "NO_ADDRESS"
  | "DEADLINE"
  /** The connection was closed, or switched to another protocol, instead of an answer. */
  | "NO_ANSWER"
  /** The connection broke, or the body was invalid, before the answer's end. */
  | "ANSWER_INCOMPLETE"
  /** One answer with a status of 1xx after the other, instead of one that counts. */
  | "TOO_MANY_INTERIM_ANSWERS"
  | "SENDER_CLOSED";

const DOING: Record<Step, string> = {
  dns: "looking up the host",
  connect: "connecting",
  tls: "in the TLS handshake",
  request: "waiting for the answer",
  answer: "reading the answer",
};

/** An error of ours that passes through node:net or node:https and keeps its code. */
export class SendError extends Error {
  constructor(
    readonly code: OwnCode,
    message: string,
  ) {
    super(message);
    this.name = "SendError";
  }
}

export function failure(step: FailedStep, code: OwnCode, message: string): Failure {
  return { kind: "failed", step, code, message };
}

export const deadlinePassed = (step: Step): Failure =>
  failure("deadline", "DEADLINE", `The deadline passed while ${DOING[step]}`);

export const senderClosed = (step: Step): Failure =>
  failure(step, "SENDER_CLOSED", `The sender was closed while ${DOING[step]}`);

/** `step` is how far the attempt had come when `error` was reported. */
export function failureFrom(error: unknown, step: Step): Failure {
  const code = codeOf(error);
  return { kind: "failed", step: failedStep(code, step), code, message: messageOf(error) };
}

function failedStep(code: string, step: Step): FailedStep {
  if (code === "ADDRESS_FORBIDDEN") return "address";
  // The parser's errors: bytes came, but no answer that can be understood.
  if (code.startsWith("HPE_")) return "answer";
  // With TLS 1.3 the peer's refusal can arrive after our side of the handshake is done.
  if (code.startsWith("ERR_SSL_")) return "tls";
  return step;
}

function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return "UNKNOWN";
}

/** Certificate errors quote every name of the peer's certificate: a peer may not decide how much is stored. */
const MAX_MESSAGE = 500;

function messageOf(error: unknown): string {
  return fullMessage(error).slice(0, MAX_MESSAGE);
}

function fullMessage(error: unknown): string {
  // When several addresses were tried, the error has no message of its own.
  if (error instanceof AggregateError && error.message === "") return error.errors.map(fullMessage).join("; ");
  return error instanceof Error ? error.message : String(error);
}
