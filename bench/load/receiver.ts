/** Tenants' hooks, as a process of its own: HTTPS servers that answer 200 at once and note when each event came. */
import type { Certificate } from "../../test/support/test-ca";

export type ReceiverJob =
  | { readonly kind: "listen"; readonly hooks: number; readonly certificate: Certificate }
  /** Hooks from this index to that one keep every request without an answer, answer so many ms late, or at once again. */
  | { readonly kind: "behave"; readonly from: number; readonly to: number; readonly delay: Delay }
  /** How many events came, or how many of these did not. */
  | { readonly kind: "count" }
  | { readonly kind: "missing"; readonly ids: readonly string[] }
  | { readonly kind: "take" };

/** Milliseconds; Infinity is no answer at all. */
type Delay = number;

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
const delays = new Map<number, Delay>();

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
        const delay = delays.get(i) ?? 0;
        if (delay > 0) await (delay === Infinity ? new Promise(() => {}) : Bun.sleep(delay));
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
      for (let i = job.from; i < job.to; i++) delays.set(i, job.delay);
      return {};
    case "count":
      return { count };
    case "missing":
      return { count: job.ids.filter((id) => !(id in arrivals)).length };
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
