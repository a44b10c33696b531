import type { LookupAddress } from "node:dns";
import { createSender } from "../../plugins/webhook-forwarder/sender";
import { parseAddressRange } from "../../src/domain/address-range";
import { ManualClock } from "../support/manual-clock";
import { testCa } from "../support/test-ca";
import { startTlsReceiver, type Answer, type TlsReceiver } from "../support/tls-receiver";
import { callWebhooks, hostOf } from "./call-webhooks";
import { AppInProcess } from "./in-process/app-in-process";
import { Findings, type Report, type Scenario } from "./scenario";
import { storedDeliveries } from "./stored-deliveries";

/** What a name resolves to, one answer after the other, the last one for ever; and what comes of the first delivery. */
type Move = {
  readonly name: string;
  readonly addresses: readonly (readonly string[])[];
  /** The endpoint's answers, the last one for ever. */
  readonly answers: readonly Answer[];
  readonly tries: readonly (number | string)[];
  /** How often the name is looked up for it and the next one. */
  readonly lookups?: number;
};

const HERE = "127.0.0.1";
/** Allowed, but nobody listens there. */
const FORMERLY = "127.0.0.2";
const ALLOWED = "127.0.0.0/8";
const CLOSE = { connection: "close" };
const failing: Answer = {
  raw: "HTTP/1.1 503 Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
  afterwards: "close",
};

const moves: readonly Move[] = [
  {
    name: "moves-house",
    addresses: [[FORMERLY], [HERE]],
    answers: [{}],
    tries: ["connect: ", 200],
  },
  {
    name: "turns-inwards",
    addresses: [[HERE], ["169.254.169.254"], [HERE, "10.0.0.1"], ["::ffff:10.0.0.1"], [HERE]],
    answers: [failing, { headers: CLOSE }],
    tries: [503, "ADDRESS_FORBIDDEN", "ADDRESS_FORBIDDEN", "ADDRESS_FORBIDDEN", 200],
  },
  {
    // The connection that was judged is used again: where the name points meanwhile does not matter.
    name: "stays-connected",
    addresses: [[HERE], ["169.254.169.254"]],
    answers: [{ status: 503 }, {}],
    tries: [503, 200],
    lookups: 1,
  },
];

/** Names that resolve to something else at each attempt: the real sender, with a resolver that lies as told. */
export const changedAddresses: Scenario = {
  name: "changed-addresses",
  about: "names that point elsewhere between two attempts, to forbidden addresses too",
  unit: "times",
  short: 1,
  long: 20,
  run: async (_, size) => {
    const reports: Report[] = [];
    for (let i = 0; i < size; i++) reports.push(await moveAll());
    return { figures: reports[0]?.figures ?? {}, broken: [...new Set(reports.flatMap(({ broken }) => broken))] };
  },
};

async function moveAll(): Promise<Report> {
  const findings = new Findings();
  const ca = await testCa();
  const receiver = await startTlsReceiver({ ca, names: moves.map(({ name }) => hostOf(name)) });
  const asked = new Map<string, number>();
  const here = parseAddressRange(ALLOWED);
  if (here === undefined) throw new Error("unreachable");
  const sender = createSender({
    ca: ca.cert,
    allowedRanges: [here],
    lookup: (host, _, callback) => {
      const move = moves.find(({ name }) => hostOf(name) === host);
      const nth = asked.get(host) ?? 0;
      asked.set(host, nth + 1);
      const addresses = move?.addresses[Math.min(nth, move.addresses.length - 1)] ?? [];
      // Later than at once, as a resolver does.
      setImmediate(() => callback(null, addresses.map(toLookupAddress)));
    },
  });
  const clock = new ManualClock();
  const app = await AppInProcess.start({
    clock,
    random: () => 0.5,
    send: sender.send,
    sip: { hooks: [{ host: "fixed.example.com", url: "https://fixed.example/" }] },
  });
  try {
    answerAll(receiver);
    const hooks = moves.map(({ name }) => ({ host: hostOf(name), url: receiver.url(`/${name}`, hostOf(name)) }));
    const put = await app.api("POST", "/sip/hooks", { hooks });
    findings.check("the hooks are added", put?.status === 200, put?.text);
    for (const { name } of moves)
      for (const { body } of callWebhooks(name, [name]).slice(0, 2)) await app.webhook(body);
    const stored = () => storedDeliveries(app.dataDir);
    // Attempts take real time, and retries the clock's.
    for (let i = 0; i < 3_000 && stored().some(({ state }) => state === "pending"); i++) {
      await Bun.sleep(20);
      await clock.turn(2_000);
    }
    const figures: Record<string, string> = {};
    for (const { name, tries, lookups } of moves) {
      const first = stored().find(({ event }) => event === `EV_${name}_0`);
      const seen = (first?.tries ?? []).map(({ status, error }) => status ?? error ?? "");
      const fits = seen.length === tries.length && tries.every((expected, i) => matches(seen[i], expected));
      findings.check(`${name}: ${tries.join(", ")}`, fits, seen.join(", "));
      const asks = asked.get(hostOf(name)) ?? 0;
      findings.check(`${name} is looked up ${lookups} times`, lookups === undefined || asks === lookups, asks);
      figures[name] = seen.map((each) => String(each).slice(0, 40)).join(", then ");
    }
    return { figures, broken: findings.broken };
  } finally {
    await app.end();
    sender.close();
    await receiver.stop();
  }
}

function answerAll(receiver: TlsReceiver): void {
  const times = new Map<string, number>();
  receiver.respondWith(({ path }) => {
    const nth = times.get(path) ?? 0;
    times.set(path, nth + 1);
    const answers = moves.find(({ name }) => `/${name}` === path)?.answers ?? [];
    return answers[Math.min(nth, answers.length - 1)] ?? {};
  });
}

const matches = (seen: number | string | undefined, expected: number | string): boolean =>
  typeof expected === "number" ? seen === expected : String(seen).includes(expected);

const toLookupAddress = (address: string): LookupAddress => ({ address, family: address.includes(":") ? 6 : 4 });
