/** Tenants' hooks, as a process of its own: HTTPS servers that answer 200 at once and note when each event came. */
import type { Certificate } from "../../test/support/test-ca";

export type ReceiverJob =
  | { readonly kind: "listen"; readonly hooks: number; readonly certificate: Certificate }
  /** Hooks from this index on keep every request without an answer, or answer so many ms late. */
  | { readonly kind: "behave"; readonly from: number; readonly to: number; readonly delayMs: number | undefined }
  | { readonly kind: "count" }
  | { readonly kind: "take" };

export type ReceiverAnswer = {
  readonly ports?: readonly number[];
  readonly count?: number;
  /** When each event came first, ms since the epoch with fractions. */
  readonly arrivals?: Readonly<Record<string, number>>;
  readonly requests?: number;
};

const now = (): number => performance.timeOrigin + performance.now();
let arrivals: Record<string, number> = {};
let count = 0;
let requests = 0;
const delays = new Map<number, number | undefined>();

async function listen(hooks: number, { cert, key }: Certificate): Promise<readonly number[]> {
  return Array.from({ length: hooks }, (_, i) => {
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      tls: { cert, key },
      idleTimeout: 0,
      async fetch(request) {
        const at = now();
        const id = request.headers.get("webhook-id") ?? "";
        await request.arrayBuffer();
        requests++;
        if (delays.has(i)) {
          const delay = delays.get(i);
          await (delay === undefined ? new Promise(() => {}) : Bun.sleep(delay));
        }
        if (!(id in arrivals)) {
          arrivals[id] = at;
          count++;
        }
        return new Response(null, { status: 200 });
      },
    });
    return server.port ?? 0;
  });
}

async function answer(job: ReceiverJob): Promise<ReceiverAnswer> {
  switch (job.kind) {
    case "listen":
      return { ports: await listen(job.hooks, job.certificate) };
    case "behave":
      for (let i = job.from; i < job.to; i++) delays.set(i, job.delayMs);
      return {};
    case "count":
      return { count };
    case "take": {
      const taken = { arrivals, requests };
      arrivals = {};
      count = 0;
      requests = 0;
      return taken;
    }
  }
}

process.on("message", (job: ReceiverJob) => {
  answer(job).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
