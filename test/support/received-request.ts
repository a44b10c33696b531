/** A request as it came over the wire. */
export type ReceivedRequest = {
  /** 0 for the first request of the receiver. */
  readonly order: number;
  /** Milliseconds since the epoch, when its last byte was there. */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  /** Name and value as sent: case, order and repetitions. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  /** 0 for the first connection of the receiver. */
  readonly connection: number;
  /** 0 for the first request of its connection. */
  readonly positionOnConnection: number;
  /** The name that the client gave in the TLS handshake (SNI); empty without one. */
  readonly servername: string;
  /** The common name of the client's certificate; empty when none was asked for or shown. */
  readonly clientName: string;
  /** The value of the first header of this name, in any case. */
  header(name: string): string | undefined;
};

/** The headers without those of the transport: what a delivery has of its own. */
export function deliveredHeaders({ headers }: Pick<ReceivedRequest, "headers">): Readonly<Record<string, string>> {
  return Object.fromEntries(headers.filter(([name]) => !/^(content-length|host|connection)$/i.test(name)));
}

export type ParsedRequest = Pick<ReceivedRequest, "method" | "path" | "headers" | "body" | "header">;

const HEAD_END = "\r\n\r\n";

/**
 * Takes the first whole request off `bytes`; undefined until it is complete.
 * @throws Error when it is no HTTP/1.1 request with a content-length, which is all that is ever sent here
 */
export function takeRequest(bytes: Buffer): { readonly request: ParsedRequest; readonly rest: Buffer } | undefined {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0) return undefined;
  const [requestLine = "", ...lines] = bytes.toString("latin1", 0, headEnd).split("\r\n");
  const [, method, path] = /^(\S+) (\S+) HTTP\/1\.1$/.exec(requestLine) ?? [];
  if (method === undefined || path === undefined) throw new Error(`not a request: ${requestLine}`);
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    if (colon < 1) throw new Error(`not a header: ${line}`);
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const header = (name: string) => headers.find(([given]) => given.toLowerCase() === name.toLowerCase())?.[1];
  if (header("transfer-encoding") !== undefined) throw new Error("a request with a transfer-encoding");
  const bodyStart = headEnd + HEAD_END.length;
  const bodyEnd = bodyStart + Number(header("content-length") ?? 0);
  if (bytes.length < bodyEnd) return undefined;
  const body = Buffer.from(bytes.subarray(bodyStart, bodyEnd));
  return { request: { method, path, headers, body, header }, rest: bytes.subarray(bodyEnd) };
}
