/** A keep-alive connection for one request at a time. Plain sockets: an HTTP client would cost the load more than the service. */
export class Connection {
  #socket: Awaited<ReturnType<typeof Bun.connect>> | undefined;
  #answered: ((status: number) => void) | undefined;
  #received = "";

  static async open(port: number): Promise<Connection> {
    const connection = new Connection();
    connection.#socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: (_, bytes) => connection.#take(bytes.toString("latin1")),
        close: () => connection.#end(),
        error: () => connection.#end(),
      },
    });
    return connection;
  }

  /** Resolves with the answer's status when it is whole; 0 when the connection ended. */
  send(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve) => {
      this.#answered = resolve;
      this.#received = "";
      const written = this.#socket?.write(bytes) ?? 0;
      if (written < bytes.length) throw new Error("a request of 2 KB was not taken in one piece");
    });
  }

  close(): void {
    this.#socket?.end();
  }

  #take(text: string): void {
    this.#received += text;
    const headEnd = this.#received.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(this.#received.slice(0, headEnd))?.[1] ?? 0);
    if (this.#received.length < headEnd + 4 + length) return;
    const answered = this.#answered;
    this.#answered = undefined;
    answered?.(Number(this.#received.slice(9, 12)));
  }

  #end(): void {
    this.#answered?.(0);
    this.#answered = undefined;
  }
}
