import { isIP } from "node:net";
import { connect } from "node:tls";
import type { TlsPeer } from "../../../src/contracts/sender";
import { describePeer } from "../sender/describe-peer";

export type CertificateQuestion = {
  /** The address that the sender has connected to, and so has judged: nothing is looked up here. */
  readonly address: string;
  readonly port: number;
  /** Asked for in the handshake; empty for an address. */
  readonly servername: string;
  readonly deadlineMs: number;
};

/**
 * Looks at a certificate that the sender has refused: the handshake's error says that it is too old, not since when. Nothing is
 * sent over this connection, and nothing depends on it; undefined when there is nothing to see.
 */
export function readCertificate({
  address,
  port,
  servername,
  deadlineMs,
}: CertificateQuestion): Promise<TlsPeer | undefined> {
  return new Promise((resolve) => {
    const socket = connect({
      host: address,
      port,
      // To look at it is not to trust it.
      rejectUnauthorized: false,
      ...(isIP(servername) === 0 && servername !== "" ? { servername } : {}),
    });
    const end = (peer: TlsPeer | undefined): void => {
      clearTimeout(timer);
      resolve(peer);
      socket.destroy();
    };
    const timer = setTimeout(() => end(undefined), deadlineMs);
    socket.once("secureConnect", () => end(describePeer(socket)));
    // Fails open because the attempt's own error says what is wrong.
    socket.on("error", () => end(undefined));
    socket.once("close", () => end(undefined));
  });
}
