import { lookup as dnsLookup, type LookupAddress, type LookupOptions } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { SendError } from "./failure";

/** Says why an address may not be connected to; undefined when it may. */
export type AddressRule = (address: string) => string | undefined;

/** `dns.lookup` with `all: true`. */
export type LookupAll = (
  hostname: string,
  options: LookupOptions & { all: true },
  callback: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void;

/**
 * By c-ares, as Bun calls its resolver without threads. The system's (`getaddrinfo`) blocks a thread of a pool that has as many
 * as the machine has cores, shared with all files: two names whose server never answers would stop every delivery for the ten
 * seconds of their deadline (measured; by c-ares 4 ms). It reads /etc/hosts and /etc/resolv.conf, the latter at its first use.
 */
export const withoutThreads =
  (lookup: LookupAll): LookupAll =>
  (hostname, options, callback) => {
    const byCAres = { ...options, backend: "c-ares" };
    lookup(hostname, byCAres, callback);
  };

/**
 * A lookup for node:https that hands out addresses only when the rule allows all of them. What is connected to is one of
 * the addresses judged here, so a name that changes its answer (DNS rebinding) gains nothing.
 *
 * Fails closed on a mixed answer. Dropping the forbidden addresses would be as safe for the connection, but a public name
 * with a private address beside it is an attack or a mistake: refused always, it is seen; dropped, it works or fails by
 * what the resolver gave this time.
 */
export function checkedLookup(rule: AddressRule, resolve: LookupAll = withoutThreads(dnsLookup)): LookupFunction {
  return (hostname, options, callback) => {
    // A second call, with an error, would end a good request.
    let answered = false;
    const answer = (error: Error | null, addresses: readonly LookupAddress[]): void => {
      if (answered) return;
      answered = true;
      const judged = error ?? judge(hostname, addresses, rule);
      if (judged instanceof Error) return callback(judged, []);
      // Bun asks for a list or for one address, and calls the other shape an invalid address.
      if (options.all === true) return callback(null, judged);
      const [first] = judged;
      callback(null, first.address, first.family);
    };
    try {
      resolve(hostname, { ...options, all: true }, answer);
    } catch (error) {
      // Thrown from here it would be thrown by https.request as well, without a request that reports it.
      answer(error instanceof Error ? error : new Error(String(error)), []);
    }
  };
}

type Judged = [LookupAddress, ...LookupAddress[]] | SendError;

function judge(hostname: string, addresses: readonly LookupAddress[], rule: AddressRule): Judged {
  const [first, ...rest] = addresses.map(({ address }) => ({ address, family: isIP(address) }));
  // Handed on as it is, an empty list ends the process with an uncaught TypeError (Bun 1.4.5).
  if (first === undefined) return new SendError("NO_ADDRESS", `${hostname} has no address`);
  const judged: Judged = [first, ...rest];
  for (const { address, family } of judged) {
    if (family === 0) return new SendError("NO_ADDRESS", `${hostname} resolves to something that is no address`);
    const reason = rule(address);
    if (reason !== undefined) return new SendError("ADDRESS_FORBIDDEN", forbiddenMessage(hostname, reason));
  }
  return judged;
}

export const forbiddenMessage = (host: string, reason: string): string =>
  `${host} may not be reached by a hook that was added at run time: ${reason}`;
