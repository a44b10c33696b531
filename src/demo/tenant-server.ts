import { Webhook } from "standardwebhooks";
import type { Certificate } from "./certificates";
import type { TenantName } from "./recorded-calls";

/** What a tenant was sent. */
export type Received = {
  readonly tenant: TenantName;
  /** Its `webhook-id`. */
  readonly id: string;
  readonly body: Buffer;
  /** Why the signature is not right; undefined when it is. */
  readonly signatureProblem: string | undefined;
  /** By `performance.now()`. */
  readonly at: number;
};

export type TenantServerOptions = {
  readonly name: TenantName;
  /** Shared with the server that sends: `whsec_…`. */
  readonly secret: string;
  readonly certificate: Certificate;
  readonly onReceived: (received: Received) => void;
};

/** A tenant's own HTTPS server, as a tenant would write it: verifies what comes in, and answers 200. */
export class TenantServer {
  readonly name: TenantName;
  readonly #options: TenantServerOptions;
  readonly #port: number;
  #server: Bun.Server<undefined>;

  constructor(options: TenantServerOptions) {
    this.name = options.name;
    this.#options = options;
    this.#server = this.#listen(0);
    this.#port = Number(this.#server.port);
  }

  get url(): string {
    return `https://127.0.0.1:${this.#port}/livekit`;
  }

  /** Closes the port and every connection, as a crash does. */
  async goDown(): Promise<void> {
    await this.#server.stop(true);
  }

  /** Listens on the same port again. */
  comeBack(): void {
    this.#server = this.#listen(this.#port);
  }

  #listen(port: number): Bun.Server<undefined> {
    const { name, secret, certificate, onReceived } = this.#options;
    return Bun.serve({
      hostname: "127.0.0.1",
      port,
      tls: certificate,
      reusePort: false,
      async fetch(request) {
        const body = Buffer.from(await request.arrayBuffer());
        onReceived({
          tenant: name,
          id: request.headers.get("webhook-id") ?? "",
          body,
          signatureProblem: findSignatureProblem(secret, body, request.headers),
          at: performance.now(),
        });
        return new Response();
      },
    });
  }
}

/** What the `standardwebhooks` package says about a request's signature; undefined when it is right. */
export function findSignatureProblem(secret: string, body: Buffer, headers: Headers): string | undefined {
  try {
    new Webhook(secret).verify(body, Object.fromEntries(headers));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
