import { checkDeliveries } from "./check-deliveries";
import { checkOutage } from "./check-outage";
import { Interrupted, onInterruption } from "./interruption";
import { Narrator } from "./narrator";
import { Observations } from "./observations";
import { choosePaint, type Paint } from "./paint";
import { ALL_CALLS, OUTAGE_CALLS, playScenario } from "./play-scenario";
import { serverCommand } from "./server-command";
import { setUp } from "./set-up";
import { summarize } from "./summarize";
import { TimeUp } from "./time-up";

/** What a test may put in the place of the usual. */
export type DemoParts = {
  readonly write?: (text: string) => void;
  readonly paint?: Paint;
  /** Between two webhooks of a call. */
  readonly paceMs?: number;
  readonly timeLimitMs?: number;
  /** Starts the server with this configuration file. */
  readonly command?: (configFile: string) => readonly string[];
};

/** Slow enough to be followed, without the pauses of a real call. */
const PACE_MS = 300;
/** With the server's stop it stays below 20 s. */
const TIME_LIMIT_MS = 16_000;

/**
 * Shows the main job in a terminal, with the real server as a process of its own, two tenants with TLS, and recorded calls.
 *
 * @returns the exit code: 0 when everything was as promised, 1 when something was not, 128 and the signal when interrupted.
 */
export async function runDemo(parts: DemoParts = {}): Promise<number> {
  const { write = toStdout, paint = choosePaint(process.stdout, process.env), timeLimitMs = TIME_LIMIT_MS } = parts;
  const end = new AbortController();
  const stopListening = onInterruption((reason) => end.abort(reason));
  const timer = setTimeout(() => end.abort(new TimeUp(timeLimitMs)), timeLimitMs);
  try {
    return await perform({ ...parts, write, paint }, end);
  } catch (error) {
    write(`\n${paint("red", error instanceof Error ? error.message : String(error))}\n`);
    return error instanceof Interrupted ? error.exitCode : 1;
  } finally {
    clearTimeout(timer);
    stopListening();
  }
}

type Performance = DemoParts & Required<Pick<DemoParts, "write" | "paint">>;

async function perform(parts: Performance, end: AbortController): Promise<number> {
  const { write, paint, paceMs = PACE_MS, command = serverCommand } = parts;
  const startedAt = performance.now();
  const narrator = new Narrator({ write, paint, startedAt });
  const observations = new Observations(ALL_CALLS, narrator);
  await using cleanup = new AsyncDisposableStack();

  narrator.introduce();
  const { server, directory, tenants, livekit } = await setUp({
    observations,
    cleanup,
    signal: end.signal,
    command,
    onCrash: (message) => end.abort(new Error(message)),
  });
  narrator.ready(livekit.url, directory, Object.values(tenants));
  const stage = { livekit, tenants, observations, narrator, paceMs, signal: end.signal };
  const outageProblems = await playScenario(stage).then(
    (outage) => checkOutage(outage, OUTAGE_CALLS, observations.received),
    (error: unknown) => {
      // What has not come by then is said one by one, instead of this alone.
      if (error instanceof TimeUp) return [error.message];
      throw error;
    },
  );
  const { answered, received } = observations;
  const exitCode = await server.stop();
  const { tallies, problems } = checkDeliveries({ calls: ALL_CALLS, answered, received });
  const verdict = {
    tallies,
    problems: [
      ...problems,
      ...outageProblems,
      ...(exitCode === 0 ? [] : [`The server was stopped, and ended with exit code ${exitCode} instead of 0.`]),
    ],
  };
  write(summarize(verdict, answered, (performance.now() - startedAt) / 1000, paint));
  return verdict.problems.length === 0 ? 0 : 1;
}

function toStdout(text: string): void {
  process.stdout.write(text);
}
