/** The load, as a process of its own: does one job that it is sent, answers, and waits for the next. */
import { interleavedCalls, type Request } from "./calls";
import { Connection } from "./connection";

export type LoadJob = {
  readonly port: number;
  readonly hosts: readonly string[];
  /** Calls that are under way at a time. */
  readonly callsAtOnce: number;
  readonly connections: number;
  /** Makes this job's calls others than any other's. */
  readonly prefix: string;
  /** Not measured, before `seconds`, which are. */
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /** Events per second at fixed times, whatever the answers do (open loop); without it each connection sends on when answered. */
  readonly rate?: number;
  /** Ends after so many measured events instead of `seconds`. */
  readonly events?: number;
};

export type LoadResult = {
  /** Answers with 200 in the measured time, per second. */
  readonly perSecond: number;
  readonly statuses: Readonly<Record<string, number>>;
  /** Milliseconds from when a request was to be sent to its answer, ascending; measured ones only. */
  readonly latencies: readonly number[];
  /** When each measured event was acknowledged and its hook could be known, ms since the epoch with fractions. */
  readonly acknowledged: Readonly<Record<string, number>>;
  /** When the first measured event was sent, and the last answered. */
  readonly began: number;
  readonly ended: number;
};

/** Of one clock on one machine, so that the receiver's times can be compared with these. */
const now = (): number => performance.timeOrigin + performance.now();

/** More would be a server that cannot keep up, not latency. */
const MOST_CONNECTIONS = 512;
/** What a closed loop may use up; an open loop knows what it needs. */
const FASTEST_PER_SECOND = 30_000;

async function run(job: LoadJob): Promise<LoadResult> {
  const requests = interleavedCalls({ hosts: job.hosts, atOnce: job.callsAtOnce, prefix: job.prefix });
  const seconds = job.warmUpSeconds + job.seconds;
  const count = job.rate === undefined ? (job.events ?? FASTEST_PER_SECOND * seconds) : Math.ceil(job.rate * seconds);
  const made = Array.from({ length: count }, () => requests.next().value);
  return job.rate === undefined ? closedLoop(job, made) : openLoop(job, job.rate, made);
}

function createResult(measureFrom: number) {
  const latencies: number[] = [];
  const acknowledged: Record<string, number> = {};
  const undecided = new Map<string, string>();
  const statuses: Record<string, number> = {};
  let first = Infinity;
  let last = 0;
  return {
    note(request: Request, due: number, status: number): void {
      const at = now();
      const waiting = undecided.get(request.id);
      if (waiting !== undefined) acknowledged[waiting] = at;
      undecided.delete(request.id);
      if (due < measureFrom) return;
      statuses[status] = (statuses[status] ?? 0) + 1;
      latencies.push(at - due);
      if (request.decidedBy !== undefined) undecided.set(request.decidedBy, request.id);
      else if (status === 200) acknowledged[request.id] = at;
      first = Math.min(first, due);
      last = at;
    },
    result(seconds: number): LoadResult {
      return {
        perSecond: (statuses[200] ?? 0) / seconds,
        statuses,
        latencies: latencies.toSorted((a, b) => a - b),
        acknowledged,
        began: first,
        ended: last,
      };
    },
    get seconds(): number {
      return (last - first) / 1000;
    },
  };
}

/** Each connection sends its next request when the one before is answered. */
async function closedLoop(job: LoadJob, made: readonly Request[]): Promise<LoadResult> {
  const connections = await Promise.all(Array.from({ length: job.connections }, () => Connection.open(job.port)));
  const began = now();
  const measureFrom = began + job.warmUpSeconds * 1000;
  const end = job.events === undefined ? measureFrom + job.seconds * 1000 : Infinity;
  const notes = createResult(measureFrom);
  let next = 0;
  await Promise.all(
    connections.map(async (connection) => {
      while (now() < end) {
        const request = made[next++];
        if (request === undefined) return;
        const sent = now();
        notes.note(request, sent, await connection.send(request.bytes));
      }
    }),
  );
  for (const connection of connections) connection.close();
  if (job.events === undefined && next >= made.length) throw new Error("the load ran out of requests");
  return notes.result(job.events === undefined ? job.seconds : notes.seconds);
}

/** Requests go out at their times, on a connection that is free, or a new one. */
async function openLoop(job: LoadJob, rate: number, made: readonly Request[]): Promise<LoadResult> {
  const free = await Promise.all(Array.from({ length: job.connections }, () => Connection.open(job.port)));
  let open = free.length;
  const began = now() + 10;
  const notes = createResult(began + job.warmUpSeconds * 1000);
  const underWay: Promise<void>[] = [];
  for (const [i, request] of made.entries()) {
    const due = began + (i * 1000) / rate;
    // Timers are late by a millisecond; the last stretch is waited for by giving way to what else there is.
    while (now() < due) await (due - now() > 2 ? Bun.sleep(1) : new Promise(setImmediate));
    underWay.push(
      (async () => {
        let connection = free.pop();
        if (connection === undefined) {
          if (++open > MOST_CONNECTIONS) throw new Error(`more than ${MOST_CONNECTIONS} requests under way`);
          connection = await Connection.open(job.port);
        }
        notes.note(request, due, await connection.send(request.bytes));
        free.push(connection);
      })(),
    );
  }
  await Promise.all(underWay);
  for (const connection of free) connection.close();
  return notes.result(job.seconds);
}

process.on("message", (job: LoadJob) => {
  run(job).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
