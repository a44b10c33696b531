/** One POST to a hook. */
export type SendRequest = {
  /** An `https:` URL that the table accepted. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Covers everything from DNS to the last byte of the answer (delivery rule 5). */
  readonly deadlineMs: number;
  /** True for a hook added at run time: the address really used must not be a forbidden one (delivery rule 9). */
  readonly guarded: boolean;
  /** Shown to a receiver that asks for one. Connections with different ones, or none, are never shared. */
  readonly clientCertificate?: ClientCertificate;
  /**
   * Told of the peer when there is a connection to an address that may be reached, and again when it is encrypted. The request
   * then has a connection of its own: of one that is kept there would be nothing to tell.
   */
  readonly onPeer?: (peer: Peer) => void;
};

/** Whom a request reaches; `tls` once the handshake is done. */
export type Peer = { readonly address: string; readonly tls?: TlsPeer };

export type TlsPeer = {
  /** `TLSv1.3` or `TLSv1.2`. */
  readonly protocol: string;
  readonly certificate?: PeerCertificate;
};

/** Times in ms since the epoch; the texts are the peer's own, at most 500 characters each. */
export type PeerCertificate = {
  /** The hosts that it is for, with commas. */
  readonly names: string;
  readonly issuer: string;
  readonly validFrom: number;
  readonly validTo: number;
};

/** PEM: the certificate, followed by its chain where the receiver needs it, and its private key without a passphrase. */
export type ClientCertificate = { readonly cert: string; readonly key: string };

/** What came of it. `send` never rejects: whatever goes wrong is a `failed`. */
export type SendResult =
  | {
      readonly kind: "answered";
      readonly status: number;
      /** The answer's Retry-After header, as it came. */
      readonly retryAfter: string | undefined;
      /** The first KiB of the answer's body at most. */
      readonly answerStart: Uint8Array;
      readonly durationMs: number;
    }
  | {
      readonly kind: "failed";
      readonly step: FailedStep;
      /** Node's or OpenSSL's code (`ECONNREFUSED`, `CERT_HAS_EXPIRED`, …), or one of our own in capitals. */
      readonly code: string;
      /** For people: what happened, without the request's headers or body. */
      readonly message: string;
      readonly durationMs: number;
    };

/** The step that an attempt ended in. */
export type FailedStep = "address" | "dns" | "connect" | "tls" | "request" | "answer" | "deadline";

/** Sends attempts. It does not retry, except once, at once, when a reused connection turns out to be closed. */
export interface Sender {
  send(request: SendRequest): Promise<SendResult>;
  /** Closes the idle connections; attempts under way end as `failed`. */
  close(): void;
}
