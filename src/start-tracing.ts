import { readTraceSettings, type Environment } from "../plugins/tracing/trace-settings";
import type { ClosableTracing } from "../plugins/tracing/create-tracing";
import packageJson from "../package.json" with { type: "json" };
import { systemClock } from "./contracts/clock";
import type { Logger } from "./contracts/logger";

/** Undefined unless OpenTelemetry's variables ask for traces; its packages are loaded only then. */
export async function startTracing(env: Environment, log: Logger): Promise<ClosableTracing | undefined> {
  const settings = readTraceSettings(env);
  if (settings.kind === "unusable") {
    // Fails open because calls matter more than traces of them.
    log.warn(
      { reason: settings.reason },
      "Traces are not sent: a variable of OpenTelemetry asks for what is not there",
    );
  }
  if (settings.kind !== "on") return undefined;
  const { createTracing } = await import("../plugins/tracing/create-tracing");
  const tracing = await createTracing({ settings, version: packageJson.version, clock: systemClock, log });
  log.info({ protocol: settings.protocol, sampled: settings.sampler.ratio }, "Traces are sent");
  return tracing;
}
