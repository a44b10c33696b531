import type { Agent } from "node:https";
import type { SendRequest, SendResult, Sender } from "../../../src/contracts/sender";
import type { AddressRange } from "../../../src/domain/address-range";
import { forbiddenReason } from "../../../src/domain/forbidden-address";
import { type AddressRule, checkedLookup, forbiddenMessage, type LookupAll } from "./checked-lookup";
import { ConnectionPool, unpooledConnections } from "./connection-pool";
import { startExchange } from "./exchange";
import { deadlinePassed, failure, type Failure, type Outcome, senderClosed, type Step } from "./failure";
import { parseTarget } from "./target";

export type SenderOptions = {
  /** What guarded hooks may reach although it is private (`sip.allowed_hook_ranges`). */
  readonly allowedRanges: readonly AddressRange[];
  /** PEM certificates to trust instead of the system's: for programs that embed us and for tests. */
  readonly ca?: string | readonly string[];
  /** Resolves host names; c-ares without it. */
  readonly lookup?: LookupAll;
  /** A monotonic clock in milliseconds, for durations only. */
  readonly now?: () => number;
};

/** A sender whose guarded hooks may be allowed other addresses later. */
export type GuardedSender = Sender & {
  /** Counts for the next attempt on: no idle connection to what was allowed before is used again. */
  allowRanges(ranges: readonly AddressRange[]): void;
};

/** A way out: its connections are never shared with the other one, because a reused connection is not judged again. */
type Route = { readonly rule: AddressRule; readonly pool: ConnectionPool; readonly unpooled: Agent };

/**
 * Sends over node:https: fetch has a process-wide limit of 256 requests and no way to judge the address that is really
 * used. No proxy variable is followed, no redirect, and nothing is decompressed.
 */
export function createSender(options: SenderOptions): GuardedSender {
  const now = options.now ?? (() => performance.now());
  const routeBy = (rule: AddressRule): Route => {
    const connections = {
      lookup: checkedLookup(rule, options.lookup),
      ...(options.ca === undefined ? {} : { ca: options.ca }),
    };
    return { rule, pool: new ConnectionPool(connections), unpooled: unpooledConnections(connections) };
  };
  const trusted = routeBy(() => undefined);
  const guardedBy = (ranges: readonly AddressRange[]) => routeBy((address) => forbiddenReason(address, ranges));
  let guarded = guardedBy(options.allowedRanges);
  const underWay = new Set<(reason: (step: Step) => Failure) => void>();
  let closed = false;

  const attempt = async (request: SendRequest): Promise<Outcome> => {
    if (closed) return senderClosed("connect");
    const target = parseTarget(request.url);
    if (target === undefined) return failure("address", "URL_INVALID", "The hook's URL is not an https:// URL");
    const { rule, pool, unpooled } = request.guarded ? guarded : trusted;
    if (target.isAddress) {
      // node:https looks nothing up for an address, so the lookup would not judge it.
      const reason = rule(target.host);
      if (reason !== undefined) return failure("address", "ADDRESS_FORBIDDEN", forbiddenMessage(target.host, reason));
    }

    const { headers, body, clientCertificate, onPeer } = request;
    const parts = { target, rule, headers, body, clientCertificate, onPeer };
    let exchange = startExchange({ ...parts, agent: onPeer === undefined ? pool : unpooled });
    const abort = (reason: (step: Step) => Failure): void => exchange.abort(reason);
    const timer = setTimeout(() => abort(deadlinePassed), request.deadlineMs);
    underWay.add(abort);
    try {
      const first = await exchange.ended;
      // On a new connection, because the pool may hold more that the peer has closed. It costs no attempt: the hook has
      // seen nothing, or at least the same webhook-id.
      if (!first.stale || closed) return first.outcome;
      exchange = startExchange({ ...parts, agent: unpooled });
      return (await exchange.ended).outcome;
    } finally {
      clearTimeout(timer);
      underWay.delete(abort);
    }
  };

  return {
    async send(request: SendRequest): Promise<SendResult> {
      const started = now();
      const outcome = await attempt(request);
      return { ...outcome, durationMs: Math.round(now() - started) };
    },
    allowRanges(ranges) {
      // Another pool, because a connection that is under way now is idle later, and is not judged again.
      guarded.pool.closeIdle();
      guarded = guardedBy(ranges);
    },
    close() {
      closed = true;
      for (const abort of underWay) abort(senderClosed);
      for (const agent of [trusted, guarded].flatMap(({ pool, unpooled }) => [pool, unpooled])) agent.destroy();
    },
  };
}
