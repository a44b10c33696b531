import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAuthority } from "./certificates";
import type { Observations } from "./observations";
import type { LiveKit } from "./play-call";
import type { TenantName } from "./recorded-calls";
import { serverEnvironment } from "./server-command";
import { ServerProcess } from "./server-process";
import { TenantServer } from "./tenant-server";
import { TimeUp } from "./time-up";
import { waitUntil } from "./wait-until";
import { writeConfig } from "./write-config";

export type SetUpOptions = {
  readonly observations: Observations;
  /** Takes what must be done at the end, whatever happens. */
  readonly cleanup: AsyncDisposableStack;
  readonly signal: AbortSignal;
  /** Starts the server with this configuration file. */
  readonly command: (configFile: string) => readonly string[];
  readonly onCrash: (message: string) => void;
};

export type DemoParties = {
  readonly directory: string;
  readonly tenants: Readonly<Record<TenantName, TenantServer>>;
  readonly server: ServerProcess;
  readonly livekit: LiveKit;
};

/** Starts the tenants and the server; resolves when calls can be taken. Keys, secrets and certificates are of this run. */
export async function setUp({ observations, cleanup, signal, command, onCrash }: SetUpOptions): Promise<DemoParties> {
  const directory = await mkdtemp(join(tmpdir(), "sayna-sip-demo-"));
  cleanup.defer(() => rm(directory, { recursive: true, force: true }));
  const authority = await createAuthority();
  const caFile = join(directory, "ca.pem");
  await writeFile(caFile, authority.cert);

  const startTenant = async (name: TenantName) => {
    const secret = `whsec_${randomBytes(32).toString("base64")}`;
    const certificate = await authority.issue(name);
    const server = new TenantServer({ name, secret, certificate, onReceived: observations.onReceived });
    cleanup.defer(() => server.goDown());
    return { server, hook: { tenant: name, url: server.url, secret } };
  };
  const a = await startTenant("tenant-a");
  const b = await startTenant("tenant-b");

  const key = { apiKey: "APIdemo", apiSecret: randomBytes(32).toString("hex") };
  const configFile = await writeConfig(directory, key, [a.hook, b.hook]);
  const server = new ServerProcess({
    command: command(configFile),
    env: serverEnvironment(process.env, caFile),
    cwd: directory,
    onLine: observations.onLogLine,
    onCrash,
  });
  cleanup.defer(async () => {
    await server.stop();
  });
  await waitUntil(() => server.isReady(signal), signal).catch((reason: unknown) => {
    throw reason instanceof TimeUp ? new Error(`The server was not ready in time.${server.describeOutput()}`) : reason;
  });
  const url = server.url ?? "";
  return { directory, tenants: { "tenant-a": a.server, "tenant-b": b.server }, server, livekit: { url, ...key } };
}
