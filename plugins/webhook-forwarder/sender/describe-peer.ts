import type { TLSSocket } from "node:tls";
import type { PeerCertificate, TlsPeer } from "../../../src/contracts/sender";

/** A peer decides what its certificate says, not how much of it is kept. */
const MAX_TEXT = 500;

/** Whom a connection is encrypted with. */
export function describePeer(socket: TLSSocket): TlsPeer {
  const certificate = readPeerCertificate(socket);
  return { protocol: socket.getProtocol() ?? "TLS", ...(certificate === undefined ? {} : { certificate }) };
}

function readPeerCertificate(socket: TLSSocket): PeerCertificate | undefined {
  // Bun gives null without a certificate, where Node gives an empty object.
  const read: Partial<ReturnType<TLSSocket["getPeerCertificate"]>> | null = socket.getPeerCertificate();
  const [validFrom, validTo] = [Date.parse(read?.valid_from ?? ""), Date.parse(read?.valid_to ?? "")];
  if (read === null || Number.isNaN(validFrom) || Number.isNaN(validTo)) return undefined;
  const names = read.subjectaltname?.split(", ").map((name) => name.replace(/^(DNS|IP Address):/, "")) ?? [];
  return {
    names: (names.length > 0 ? names : [nameOf(read.subject)]).join(", ").slice(0, MAX_TEXT),
    issuer: nameOf(read.issuer).slice(0, MAX_TEXT),
    validFrom,
    validTo,
  };
}

type Name = { readonly CN?: string | string[]; readonly O?: string | string[] };

/** A CA names itself by its common name, or by its organisation. */
function nameOf(name: Name | undefined): string {
  return [name?.O, name?.CN].flatMap((part) => part ?? []).join(" ");
}
