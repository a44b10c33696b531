import { createConnection, createServer, type Server, type Socket } from "node:net";

/** A network between a program and a server that can be cut, in the two ways in which networks are. */
export class TcpProxy {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #stalled = false;
  #refusing = false;

  private constructor(
    server: Server,
    readonly port: number,
  ) {
    this.#server = server;
  }

  static async start(to: { readonly host: string; readonly port: number }): Promise<TcpProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port was given");
    const proxy = new TcpProxy(server, address.port);
    server.on("connection", (socket) => proxy.#connect(socket, to));
    return proxy;
  }

  /** Nothing gets through any more, in both directions; connections stay open, and new ones are taken. */
  stall(): void {
    this.#stalled = true;
    for (const [near, far] of this.#pairs) {
      near.pause();
      far.pause();
    }
  }

  /** Ends every connection without a word, and those that come. */
  refuse(): void {
    this.#refusing = true;
    this.reset();
  }

  /** Ends every connection that there is. */
  reset(): void {
    for (const [near, far] of this.#pairs) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  }

  /** Works again; what was held up arrives now. */
  heal(): void {
    this.#stalled = false;
    this.#refusing = false;
    for (const [near, far] of this.#pairs) {
      near.resume();
      far.resume();
    }
  }

  async stop(): Promise<void> {
    this.reset();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #connect(near: Socket, to: { readonly host: string; readonly port: number }): void {
    if (this.#refusing) {
      near.resetAndDestroy();
      return;
    }
    const far = createConnection(to);
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    for (const [from, into] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on("data", (bytes) => into.write(bytes));
      from.on("error", () => {});
      from.on("close", () => {
        into.destroy();
        this.#pairs.delete(pair);
      });
      if (this.#stalled) from.pause();
    }
  }
}
