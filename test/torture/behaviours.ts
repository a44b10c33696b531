import { createTestCa, testCa } from "../support/test-ca";
import type { Answer, TlsReceiverOptions } from "../support/tls-receiver";

/** One way for a receiver to misbehave, and what must come of a delivery to it. */
export type Behaviour = {
  readonly name: string;
  /** Its answers; without them nothing gets so far. */
  readonly answer?: (goodUrl: string) => Answer;
  readonly receiver?: () => Promise<Omit<TlsReceiverOptions, "ca">>;
  /** Nobody listens. */
  readonly stopped?: boolean;
  /** The hook is added at run time, and points at this machine. */
  readonly runtime?: boolean;
  /**
   * `dead`: after all four attempts, and its lane goes on. `refused`: after three, as the event's own fault. `delivered`: at
   * the first. `waiting`: the hook is paused after one.
   */
  readonly ends: "dead" | "refused" | "delivered" | "waiting";
  /** What the attempts say: a status, or a part of the error. */
  readonly because: number | string;
};

const GIGABYTE = 1024 ** 3;
const PIECE = Buffer.alloc(64 * 1024, "x");
const OK_HEAD = "HTTP/1.1 200 OK\r\n";
const DRIP_MS = 50;

/** Requests that these receivers never finish are cut by the deadline. */
export const behaviours: readonly Behaviour[] = [
  { name: "refuses", stopped: true, ends: "dead", because: "ECONNREFUSED" },
  { name: "resets", answer: () => "reset", ends: "dead", because: "request: " },
  { name: "closes", answer: () => "close", ends: "dead", because: "request: " },
  { name: "hangs-before-headers", answer: () => "hang", ends: "dead", because: "DEADLINE" },
  { name: "hangs-in-headers", answer: () => ({ raw: `${OK_HEAD}content-le` }), ends: "dead", because: "DEADLINE" },
  {
    name: "hangs-after-headers",
    answer: () => ({ raw: `${OK_HEAD}content-length: 10\r\n\r\n` }),
    ends: "dead",
    because: "DEADLINE",
  },
  { name: "drips-headers", answer: () => ({ raw: drip(`${OK_HEAD}x: `) }), ends: "dead", because: "DEADLINE" },
  {
    name: "drips-body",
    answer: () => ({ raw: drip(`${OK_HEAD}content-length: 10000\r\n\r\n`) }),
    ends: "dead",
    because: "DEADLINE",
  },
  { name: "redirects", answer: (url) => ({ status: 302, headers: { location: url } }), ends: "dead", because: 302 },
  {
    name: "redirects-for-good",
    answer: (url) => ({ status: 308, headers: { location: url } }),
    ends: "dead",
    because: 308,
  },
  { name: "is-gone", answer: () => ({ status: 410 }), ends: "waiting", because: 410 },
  { name: "throttles", answer: () => ({ status: 429, headers: { "retry-after": "1" } }), ends: "dead", because: 429 },
  { name: "fails", answer: () => ({ status: 500 }), ends: "dead", because: 500 },
  { name: "refuses-the-event", answer: () => ({ status: 400 }), ends: "refused", because: 400 },
  {
    name: "answers-too-short",
    answer: () => ({ raw: `${OK_HEAD}content-length: 100\r\n\r\nshort`, afterwards: "close" }),
    ends: "dead",
    because: "answer: ",
  },
  {
    name: "answers-too-long",
    answer: () => ({ raw: `${OK_HEAD}content-length: 2\r\n\r\nok and more`, afterwards: "keep" }),
    ends: "delivered",
    because: 200,
  },
  { name: "sends-1-GB", answer: () => ({ raw: gigabyte(), afterwards: "close" }), ends: "delivered", because: 200 },
  {
    name: "sends-1-GB-of-headers",
    answer: () => ({ raw: gigabyteOfHeaders() }),
    ends: "dead",
    because: "HPE_HEADER_OVERFLOW",
  },
  {
    name: "talks-something-else",
    answer: () => ({ raw: "220 mail.example ESMTP\r\n" }),
    ends: "dead",
    because: "HPE_",
  },
  {
    name: "switches-protocols",
    answer: () => ({ raw: "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n" }),
    ends: "dead",
    because: "NO_ANSWER",
  },
  {
    name: "expired-certificate",
    receiver: async () => ({
      certificate: await (
        await testCa()
      ).issue(["localhost"], {
        notBefore: new Date("2024-01-01"),
        notAfter: new Date("2024-02-01"),
      }),
    }),
    ends: "dead",
    because: "CERT_HAS_EXPIRED",
  },
  {
    name: "wrong-name",
    receiver: async () => ({ names: ["somebody-else.example.com"] }),
    ends: "dead",
    because: "ERR_TLS_CERT_ALTNAME_INVALID",
  },
  {
    name: "self-signed",
    receiver: async () => ({ certificate: await (await testCa()).issue(["localhost"], { selfSigned: true }) }),
    ends: "dead",
    because: "tls: ",
  },
  {
    name: "unknown-authority",
    receiver: async () => ({ certificate: await (await createTestCa()).issue(["localhost"]) }),
    ends: "dead",
    because: "tls: ",
  },
  { name: "forbidden-address", runtime: true, ends: "dead", because: "ADDRESS_FORBIDDEN" },
];

async function* drip(start: string): AsyncGenerator<string> {
  yield start;
  for (;;) {
    await Bun.sleep(DRIP_MS);
    yield "x";
  }
}

async function* gigabyte(): AsyncGenerator<string | Uint8Array> {
  yield `${OK_HEAD}content-length: ${GIGABYTE}\r\n\r\n`;
  for (let sent = 0; sent < GIGABYTE; sent += PIECE.length) yield PIECE;
}

async function* gigabyteOfHeaders(): AsyncGenerator<string | Uint8Array> {
  yield `${OK_HEAD}x: `;
  for (let sent = 0; sent < GIGABYTE; sent += PIECE.length) yield PIECE;
}
