import { normalizeHost, type Host } from "../domain/host";
import { parseSipAddress } from "../domain/sip-address";

/** The call that is asked about. */
export type AskedCall = {
  /** As it was written. */
  readonly text: string;
  /** Undefined when no host can be read from it: no call with such a header finds a hook. */
  readonly host: Host | undefined;
  /** The called number or name, where a To header has one. */
  readonly user?: string;
  /** What the service's explain takes. */
  readonly question: { readonly to: string } | { readonly host: string };
};

/** Reads a host, or the value of a To header. */
export function readAskedCall(text: string): AskedCall {
  const host = normalizeHost(text);
  if (host !== undefined) return { text, host, question: { host } };
  const address = parseSipAddress(text);
  return {
    text,
    host: address?.host,
    ...(address?.user === undefined ? {} : { user: address.user }),
    question: { to: text },
  };
}
