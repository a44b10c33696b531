import type { Config } from "../plugins/config-loader";
import { ConfigError, startupNotes } from "../plugins/config-loader";
import { createApp, type SaynaSip } from "./app";
import { systemClock } from "./contracts/clock";
import type { Logger } from "./contracts/logger";
import { createReloader, type ReloaderOptions } from "./create-reloader";
import { loadPlugins } from "./load-plugins";
import type { ReloadRequests } from "./reload-requests";
import { startTracing } from "./start-tracing";

/**
 * Bodies up to this size reach our own checks, which answer with the error's JSON; Bun closes the connection of larger
 * ones with a bare 413.
 */
const MAX_REQUEST_BYTES = 16 * 1024 * 1024;
/** Seconds without a byte after which Bun closes a connection. It ends a slow handler too, so commits need room. */
const IDLE_TIMEOUT_S = 30;
/** SIGTERM to exit: 8 s at most. Attempts under way get most of it; the port closes last, 1 s before the end. */
const SENDING_GRACE_MS = 6_000;
const CLOSING_GRACE_MS = 1_000;
const TRACES_GRACE_MS = 500;

export type ServeOptions = {
  readonly log: Logger;
  /** What relative paths of the configuration's `plugins` begin at. */
  readonly directory: string;
  /** Fulfilled with the signal's name when the service is to end. */
  readonly signalled: Promise<string>;
  /** Without it the configuration stays as it is. */
  readonly reload?: Pick<ReloaderOptions, "load" | "setLogLevel"> & { readonly requests: ReloadRequests };
};

/**
 * Runs the service until it is told to end, or until provisioning fails for good. The port opens as soon as the storage is
 * open; webhooks are kept while provisioning goes on.
 *
 * @returns the process's exit code: 0 after a signal, 1 when it could not go on.
 */
export async function serve(config: Config, { log, directory, signalled, reload }: ServeOptions): Promise<number> {
  let service: SaynaSip;
  const tracing = await startTracing(process.env, log);
  try {
    service = await createApp(config, { log, tracing, plugins: await loadPlugins(config.plugins, { directory }) });
  } catch (error) {
    // As what is wrong with the rest of the configuration: text for people, with its lines.
    if (error instanceof ConfigError) process.stderr.write(`${error.message}\n`);
    else log.error({}, messageOf(error));
    return 1;
  }
  if (!listenAll(service, config, log)) {
    await closePort(service);
    await service.close();
    return 1;
  }
  for (const { level, message } of startupNotes(config)) log[level]({}, message);
  const failed = service.start().then(
    () => new Promise<never>(() => {}),
    (error: unknown) => error,
  );
  let stopping = false;
  if (reload !== undefined) {
    const readAgain = createReloader({ config, service, log, clock: systemClock, ...reload });
    reload.requests((cause) => void (stopping ? undefined : readAgain(cause)));
  }
  const end = await Promise.race([signalled, failed]);
  stopping = true;
  if (typeof end === "string") log.info({ signal: end }, "Stopping: nothing more is sent, webhooks are still taken");
  else log.error({}, messageOf(end));
  await service.stopSending(SENDING_GRACE_MS);
  await closePort(service);
  await Promise.all([service.close(), tracing?.close(TRACES_GRACE_MS)]);
  log.info({}, "Stopped");
  return typeof end === "string" ? 0 : 1;
}

type Listening = { readonly hostname: string; readonly port: number; readonly settings: string };

/** The port for webhooks first: LiveKit's events do not wait for an operator. */
function listenAll({ app, management }: SaynaSip, { server }: Config, log: Logger): boolean {
  const first = { hostname: server.host, port: server.port, settings: "HOST and PORT (server.host, server.port)" };
  if (!listen(app, first, "Listening", log)) return false;
  if (management === undefined || server.management === undefined) return true;
  const { host: hostname, port } = server.management;
  const settings = "MANAGEMENT_HOST and MANAGEMENT_PORT (server.management)";
  return listen(management, { hostname, port, settings }, "Listening for management", log);
}

function listen(app: SaynaSip["app"], { hostname, port, settings }: Listening, message: string, log: Logger): boolean {
  try {
    app.listen({
      hostname,
      port,
      // By default two instances would share the port, and the webhooks of one call.
      reusePort: false,
      idleTimeout: IDLE_TIMEOUT_S,
      maxRequestBodySize: MAX_REQUEST_BYTES,
    });
    log.info({ url: String(app.server?.url ?? "") }, message);
    return true;
  } catch (error) {
    log.error(
      {},
      `Cannot listen on ${hostname} port ${port}: ${messageOf(error).replace(/[.?!]+$/, "")}. Set ${settings}, or end what listens there.`,
    );
    return false;
  }
}

/** Answers what is under way; what has not come in by then is cut off, and LiveKit sends it again. */
async function closePort({ app, management }: SaynaSip): Promise<void> {
  const servers = [app.server, management?.server ?? null].filter((server) => server !== null);
  const drained = Promise.all(servers.map((server) => server.stop()));
  await Promise.race([drained, Bun.sleep(CLOSING_GRACE_MS)]);
  await Promise.all(servers.map((server) => server.stop(true)));
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
