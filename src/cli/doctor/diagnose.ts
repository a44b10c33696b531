import type { Config } from "../../../plugins/config-loader";
import { systemClock } from "../../contracts/clock";
import { readAskedCall } from "../../doctor/asked-call";
import { runDoctor } from "../../doctor/run-doctor";
import type { ConfigFlags } from "../config-options";
import { readConfiguration } from "../read-configuration";
import { EXIT, type ExitCode } from "../exit-code";
import type { Output } from "../output";
import { connect, type ServiceFlags } from "../service-options";
import { showFindings } from "./show-findings";

export type DoctorFlags = ConfigFlags &
  ServiceFlags & {
    readonly asked: string | undefined;
    readonly live?: true | undefined;
    readonly waitMs: number;
  };

export async function diagnose(flags: DoctorFlags, output: Output): Promise<ExitCode> {
  const config = readConfiguration(flags);
  const findings = await runDoctor({
    config,
    service: connectTo(config, flags),
    clock: systemClock,
    call: flags.asked === undefined ? undefined : readAskedCall(flags.asked),
    live: flags.live === undefined ? undefined : { patienceMs: flags.waitMs },
    onStep: output.progress,
  });
  const well = findings.every(({ severity }) => severity !== "problem");
  output.answer({ well, findings }, (paint) => showFindings(findings, paint));
  return well ? EXIT.ok : EXIT.failed;
}

/** Where the configuration says that the API listens, and with an operator's credential of it, unless told otherwise. */
function connectTo({ server, auth }: Config, flags: DoctorFlags): ReturnType<typeof connect> {
  // A second port has all of the API, and the health checks as well; the first one has nothing that a token opens.
  const { host: listensOn, port } = server.management ?? server;
  const everywhere: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "[::1]" };
  const host = everywhere[listensOn] ?? (listensOn.includes(":") ? `[${listensOn}]` : listensOn);
  const token = auth.api_secrets.find(({ role }) => role === "operator")?.secret.reveal();
  return connect(flags, { otherwise: { url: `http://${host}:${port}`, token } });
}
