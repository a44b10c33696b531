import { once } from "node:events";
import { createServer, type TLSSocket, type TlsOptions } from "node:tls";
import { takeRequest, type ReceivedRequest } from "./received-request";
import type { Certificate, TestCa } from "./test-ca";

/** What a receiver does with a request. */
export type Answer =
  | {
      /** 200 without one. */
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string | Uint8Array;
      readonly delayMs?: number;
    }
  | {
      /** Bytes as they are; the next piece is asked for when the client has room for it. */
      readonly raw: string | Uint8Array | AsyncIterable<string | Uint8Array>;
      /** What becomes of the connection; kept without it, so that unfinished bytes are an answer that hangs. */
      readonly afterwards?: "keep" | "close" | "reset";
      readonly delayMs?: number;
    }
  | "hang"
  | "close"
  | "reset";

export type TlsReceiverOptions = {
  readonly ca: TestCa;
  /** The names of its certificate; `localhost` and `127.0.0.1` without them. */
  readonly names?: readonly string[];
  /** Instead of one of the CA's. */
  readonly certificate?: Certificate;
  /** Called with every request; without it each is answered 200 with an empty body. */
  readonly respond?: (request: ReceivedRequest) => Answer | Promise<Answer>;
  /** False when there will be too many to keep: `requests` stays empty. */
  readonly keepRequests?: boolean;
  readonly tls?: Pick<TlsOptions, "minVersion" | "maxVersion" | "requestCert" | "rejectUnauthorized" | "ca">;
};

export type TlsReceiver = {
  readonly port: number;
  /** `https://localhost:<port><path>`, or with another host. */
  url(path?: string, host?: string): string;
  /** In the order in which they were complete. */
  readonly requests: readonly ReceivedRequest[];
  /** How many connections got through the TLS handshake so far, and how many of them are open. */
  readonly connections: { readonly made: number; readonly open: number };
  /** Changes the answers from the next request on. */
  respondWith(respond: (request: ReceivedRequest) => Answer | Promise<Answer>): void;
  /** Resolves when `count` requests have come in all; rejects after `timeoutMs`. */
  waitFor(count: number, timeoutMs?: number): Promise<void>;
  /** Stops listening and resets the connections; does nothing when it is stopped already. */
  stop(): Promise<void>;
  /** Listens again, on the same port. */
  start(): Promise<void>;
};

/** An HTTPS server on 127.0.0.1 that keeps every request and answers as it is told, valid HTTP or not. */
export async function startTlsReceiver(options: TlsReceiverOptions): Promise<TlsReceiver> {
  const certificate = options.certificate ?? (await options.ca.issue(options.names ?? ["localhost", "127.0.0.1"]));
  const requests: ReceivedRequest[] = [];
  const open = new Set<TLSSocket>();
  const waiting = new Set<() => void>();
  let respond = options.respond ?? ((): Answer => ({}));
  let made = 0;

  const serve = async (socket: TLSSocket): Promise<void> => {
    const connection = made++;
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    // A client that goes away is a part of many tests.
    socket.on("error", () => undefined);
    const servername = typeof socket.servername === "string" ? socket.servername : "";
    const clientName = clientNameOf(socket);
    let bytes = Buffer.alloc(0);
    let positionOnConnection = 0;
    for await (const chunk of socket) {
      bytes = Buffer.concat([bytes, chunk]);
      for (let taken = takeRequest(bytes); taken !== undefined; taken = takeRequest(bytes)) {
        bytes = Buffer.from(taken.rest);
        const place = { order: requests.length, connection, positionOnConnection: positionOnConnection++ };
        const request = { ...taken.request, ...place, at: Date.now(), servername, clientName };
        if (options.keepRequests !== false) requests.push(request);
        for (const check of waiting) check();
        await give(await respond(request), socket, request);
      }
    }
  };

  const listen = async (port: number) => {
    const server = createServer({ ...certificate, ...options.tls });
    server.on("secureConnection", (socket: TLSSocket) => {
      serve(socket).catch((error: unknown) => socket.destroy(error instanceof Error ? error : undefined));
    });
    server.on("tlsClientError", () => undefined);
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return server;
  };

  let server = await listen(0);
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the receiver has no port");
  const { port } = address;

  return {
    port,
    url: (path = "/", host = "localhost") => `https://${host}:${port}${path}`,
    requests,
    connections: {
      get made() {
        return made;
      },
      get open() {
        return open.size;
      },
    },
    respondWith(next) {
      respond = next;
    },
    waitFor(count, timeoutMs = 60_000) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(check);
          reject(new Error(`${requests.length} of ${count} requests came within ${timeoutMs} ms`));
        }, timeoutMs);
        const check = (): void => {
          if (requests.length < count) return;
          clearTimeout(timer);
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      });
    },
    async stop() {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      for (const socket of open) socket.resetAndDestroy();
      await closed;
    },
    async start() {
      server = await listen(port);
    },
  };
}

/** Bun gives null without a certificate, where Node gives an empty object. */
function clientNameOf(socket: TLSSocket): string {
  const certificate: { subject?: { CN?: string | string[] } } | null = socket.getPeerCertificate();
  return String(certificate?.subject?.CN ?? "");
}

async function give(answer: Answer, socket: TLSSocket, request: ReceivedRequest): Promise<void> {
  if (answer === "hang") return;
  if (answer === "close" || answer === "reset") return finish(socket, answer);
  if (answer.delayMs !== undefined) await Bun.sleep(answer.delayMs);
  if (!("raw" in answer)) {
    const body = Buffer.from(answer.body ?? "");
    const headers = { "content-length": body.length, ...answer.headers };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = `HTTP/1.1 ${answer.status ?? 200} Status\r\n${lines.join("")}\r\n`;
    socket.write(Buffer.concat([Buffer.from(head, "latin1"), body]));
    return request.header("connection")?.toLowerCase() === "close" ? finish(socket, "close") : undefined;
  }
  if (typeof answer.raw === "string" || answer.raw instanceof Uint8Array) {
    socket.write(answer.raw);
  } else {
    for await (const piece of answer.raw) {
      if (socket.destroyed) return;
      if (!socket.write(piece)) await roomOrClosed(socket);
    }
  }
  return finish(socket, answer.afterwards ?? "keep");
}

function roomOrClosed(socket: TLSSocket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off("drain", done).off("close", done);
      resolve();
    };
    socket.on("drain", done).on("close", done);
  });
}

function finish(socket: TLSSocket, end: "keep" | "close" | "reset"): void {
  if (end === "close") socket.end();
  if (end === "reset") socket.resetAndDestroy();
}
