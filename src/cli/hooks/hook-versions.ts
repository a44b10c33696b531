import type { Static } from "elysia";
import type { VersionDifference, VersionList } from "../../../plugins/hooks-store/version-schemas";
import type { Paint } from "../../demo/paint";
import type { ApiClient } from "../api-client";
import { EXIT, type ExitCode } from "../exit-code";
import type { Output } from "../output";
import { showTime } from "../show-time";
import { renderTable } from "../table";
import { visible } from "../visible";
import { showHooks, type HookTable } from "./list-hooks";

type Versions = Static<typeof VersionList>;
type Difference = Static<typeof VersionDifference>;

/** The most that the API gives at a time. */
const PAGE = 200;

export async function listVersions(api: ApiClient, output: Output, limit: number): Promise<ExitCode> {
  const versions: Versions["versions"] = [];
  let before: number | undefined;
  do {
    const page = await api.get<Versions>("/sip/hooks/versions", {
      limit: Math.min(PAGE, limit - versions.length),
      before,
    });
    versions.push(...page.versions);
    before = page.next;
  } while (before !== undefined && versions.length < limit);
  output.answer({ versions, ...(before === undefined ? {} : { next: before }) }, (paint) => {
    if (versions.length === 0) return "The hooks added at run time were never changed.";
    const rows = versions.map(({ version, at, who, added, replaced, removed, hosts }) => [
      String(version),
      showTime(at),
      who,
      `+${added} ~${replaced} -${removed}`,
      hosts.join(", ") + (hosts.length < added + replaced + removed ? ", …" : ""),
    ]);
    return renderTable(["VERSION", "AT", "WHO", "CHANGED", "HOSTS"], rows, paint);
  });
  return EXIT.ok;
}

export async function compareVersions(api: ApiClient, output: Output, a: number, b: number): Promise<ExitCode> {
  const difference = await api.get<Difference>(`/sip/hooks/versions/${a}/compare/${b}`);
  output.answer(difference, (paint) => renderDifference(difference, paint));
  return EXIT.ok;
}

export async function rollBack(api: ApiClient, output: Output, version: number, dryRun: boolean): Promise<ExitCode> {
  if (!dryRun) return showHooks(await api.send<HookTable>("POST", "/sip/hooks/rollback", { version }), output);
  const { versions } = await api.get<Versions>("/sip/hooks/versions", { limit: 1 });
  return compareVersions(api, output, versions[0]?.version ?? 0, version);
}

/** As `diff` shows it: what a hook was, and what it is then, with the members that differ. */
function renderDifference({ from, to, hosts }: Difference, paint: Paint): string[] {
  if (hosts.length === 0) return [`The hooks of version ${to} are those of version ${from}.`];
  const lines = hosts.flatMap(({ host, before, after }) => {
    const [was, is]: Record<string, unknown>[] = [before ?? {}, after ?? {}];
    const names = [...new Set([...Object.keys(was ?? {}), ...Object.keys(is ?? {})])].filter((name) => name !== "host");
    const differing = names.filter((name) => JSON.stringify(was?.[name]) !== JSON.stringify(is?.[name]));
    return [
      paint("bold", visible(host)),
      ...differing.flatMap((name) => [
        ...(was?.[name] === undefined ? [] : [paint("red", `- ${name}: ${showValue(was[name])}`)]),
        ...(is?.[name] === undefined ? [] : [paint("green", `+ ${name}: ${showValue(is[name])}`)]),
      ]),
    ];
  });
  return [paint("dim", `version ${from} -> ${to}`), ...lines];
}

const showValue = (value: unknown): string => visible(typeof value === "string" ? value : JSON.stringify(value));
