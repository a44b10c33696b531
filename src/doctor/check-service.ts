import { isJsonObject } from "../domain/json";
import { ok, problem, warning, type Finding } from "./finding";

/** Asks the running service; the command line's client is one. */
export type Service = {
  readonly url: string;
  readonly get: <Answer>(
    path: string,
    query?: Readonly<Record<string, string | number | undefined>>,
  ) => Promise<Answer>;
  readonly send: <Answer>(method: "POST" | "DELETE", path: string, body: unknown) => Promise<Answer>;
};

export type ServiceState = {
  readonly findings: readonly Finding[];
  /** It runs, and lets us look at its hooks and calls. */
  readonly opened: boolean;
};

const TIMEOUT_MS = 5_000;

/** Who has the data directory that the configuration names; `unknown` for a storage that is on another machine. */
export type StorageHolder =
  { readonly kind: "unknown" } | { readonly kind: "nobody" } | { readonly kind: "process"; readonly name: string };

/** Whether the service runs, can take calls, and lets us look. */
export async function checkService(service: Service, holder: StorageHolder): Promise<ServiceState> {
  const { url } = service;
  const ready = await askReady(url);
  if (ready === undefined) return { findings: [notRunning(url, holder)], opened: false };
  const findings: Finding[] = [];
  if (ready.length > 0) {
    findings.push(
      problem("service", "service_not_ready", {
        what: `The service at ${url} cannot take calls: ${ready.join("; ")}.`,
        why: "Calls that come in now are not set up as configured, or their events are not kept.",
        mend: "Mend what it names; its log says more. If nothing else is found here, restart it.",
      }),
    );
  }
  if (holder.kind === "nobody") {
    findings.push(
      warning("service", "service_elsewhere", {
        what: `The service at ${url} does not use the data directory of this configuration.`,
        why: "It runs with another configuration than the one that is looked at here.",
        mend: "Give the file that it was started with by --config, or its address by --url.",
      }),
    );
  }
  const refusal = await askForHooks(service);
  if (refusal !== undefined) {
    findings.push(
      warning("service", "service_refuses_us", {
        what: `The service at ${url} does not let us look at its hooks: ${refusal}`,
        why: "Hooks added at run time, and what became of calls, cannot be looked at.",
        mend: "Give an operator's token by --token-file or SAYNA_SIP_TOKEN.",
      }),
    );
  }
  if (ready.length === 0)
    findings.unshift(ok("service", "service_right", `The service at ${url} runs and can take calls.`));
  return { findings, opened: refusal === undefined };
}

function notRunning(url: string, holder: StorageHolder): Finding {
  const other = holder.kind === "process" ? ` The data directory is in use by ${holder.name}, which may be it.` : "";
  return problem("service", "service_not_running", {
    what: `Nothing answers as sayna-sip at ${url}.${other}`,
    why: "LiveKit gives up a webhook after 15 s.",
    mend: "Start it (sayna-sip serve), or give its address by --url or SAYNA_SIP_URL.",
  });
}

/** Why it is not ready, nothing when it is; undefined when nobody answers, or somebody else does. */
async function askReady(url: string): Promise<readonly string[] | undefined> {
  try {
    const response = await fetch(`${url}/health/ready`, {
      redirect: "manual",
      proxy: false,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const body: unknown = await response.json();
    if (!isJsonObject(body)) return undefined;
    if (body["status"] === "ready") return [];
    const reasons = body["reasons"];
    return body["status"] === "not_ready" && Array.isArray(reasons) ? reasons.map(String) : undefined;
  } catch {
    return undefined;
  }
}

/** Why we may not look; undefined when we may. */
async function askForHooks(service: Service): Promise<string | undefined> {
  try {
    await service.get("/sip/calls", { limit: 1 });
    return undefined;
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}.`;
  }
}
