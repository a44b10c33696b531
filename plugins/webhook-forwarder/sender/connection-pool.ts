import { Agent } from "node:https";
import type { LookupFunction } from "node:net";
import type { Duplex } from "node:stream";

export type ConnectionPoolOptions = {
  readonly lookup: LookupFunction;
  /** PEM certificates to trust instead of the system's. */
  readonly ca?: string | readonly string[];
  /** How long a connection may be idle, in milliseconds; 4000 without it. */
  readonly idleMs?: number;
  /** How many idle connections are kept over all hosts; 500 without it. */
  readonly maxIdle?: number;
};

/** Servers close idle connections after 5 s by default (Node, Apache); ours must be gone before. */
const IDLE_MS = 4000;
/**
 * `maxTotalSockets` would bound the idle connections too, but by queueing requests in the agent, where they hear no
 * deadline; so would `maxSockets`. Neither is set: the callers limit how much is under way.
 */
const MAX_IDLE = 500;

/**
 * A keep-alive agent for thousands of hosts: above `maxIdle` idle connections the one that was idle longest is closed.
 * Options of an agent win over a request's, so whatever goes through this pool is looked up and verified by its rules.
 */
export class ConnectionPool extends Agent {
  /** Idle sockets, longest idle first, each with the listener that takes it out when it closes. */
  readonly #idle = new Map<Duplex, () => void>();
  readonly #maxIdle: number;

  constructor(options: ConnectionPoolOptions) {
    super({ keepAlive: true, timeout: options.idleMs ?? IDLE_MS, ...connectionRules(options) });
    this.#maxIdle = options.maxIdle ?? MAX_IDLE;
  }

  override keepSocketAlive(socket: Duplex): boolean {
    // Typed as void, but the agent closes the socket when this is false.
    const kept: unknown = super.keepSocketAlive(socket);
    if (kept === false) return false;
    const forget = () => this.#idle.delete(socket);
    socket.once("close", forget);
    this.#idle.set(socket, forget);
    if (this.#idle.size > this.#maxIdle) this.#closeLongestIdle();
    return true;
  }

  override reuseSocket(socket: Duplex, request: Parameters<Agent["reuseSocket"]>[1]): void {
    const forget = this.#idle.get(socket);
    if (forget !== undefined) socket.off("close", forget);
    this.#idle.delete(socket);
    super.reuseSocket(socket, request);
  }

  /** Closes what is idle now; what is under way ends, and is closed when it has been idle for its time. */
  closeIdle(): void {
    for (const socket of this.#idle.keys()) socket.destroy();
  }

  #closeLongestIdle(): void {
    const [longest] = this.#idle.keys();
    if (longest === undefined) return;
    this.#idle.delete(longest);
    longest.destroy();
  }
}

/** An agent by the same rules that makes a new connection for every request. */
export function unpooledConnections(options: Pick<ConnectionPoolOptions, "lookup" | "ca">): Agent {
  return new Agent({ keepAlive: false, ...connectionRules(options) });
}

function connectionRules({ lookup, ca }: Pick<ConnectionPoolOptions, "lookup" | "ca">) {
  return {
    lookup,
    // Said explicitly: NODE_TLS_REJECT_UNAUTHORIZED=0 and --tls-min-v1.0 change the defaults.
    rejectUnauthorized: true,
    minVersion: "TLSv1.2",
    ...(ca === undefined ? {} : { ca: typeof ca === "string" ? ca : [...ca] }),
  } as const;
}
