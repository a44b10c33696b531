/** What a plugin can be. */
export type PluginKind = "matcher" | "storage";

export type ContractChange = {
  /** `major.minor`. */
  readonly version: string;
  /** What it changed for those who implement the contract. */
  readonly changes: string;
};

/**
 * The versions of each contract, oldest first. A major number more: what was written for the one before may not work. A minor
 * number more: something was added, and nothing that was there means anything else.
 */
export const CONTRACT_VERSIONS: Readonly<Record<PluginKind, readonly ContractChange[]>> = {
  matcher: [
    {
      version: "1.0",
      changes:
        "the first one with a number. A matcher is made by defineMatcher; the view's host is called.host, and " +
        "hooks.byPattern is hooks.byHost",
    },
  ],
  storage: [{ version: "1.0", changes: "the first one with a number. A storage is made by defineStorage" }],
};

const VERSION = /^(\d{1,6})\.(\d{1,6})$/;

/**
 * Why a plugin that was written for this version of a contract cannot be used here, and what to do; undefined when it can.
 * It can when the major number is the same and the minor number is not above ours.
 *
 * @param known the versions there are here, oldest first.
 * @param ours the version of this package.
 */
export function contractProblem(
  kind: PluginKind,
  written: unknown,
  ours: string,
  known: readonly ContractChange[] = CONTRACT_VERSIONS[kind],
): string | undefined {
  const current = known.at(-1)?.version ?? "";
  const wanted = parse(written);
  const have = parse(current);
  if (wanted === undefined || have === undefined) {
    return `does not say which version of the ${kind} contract it was written for: add contract: "${current}".`;
  }
  const found = `was written for version ${String(written)} of the ${kind} contract; sayna-sip ${ours} has version ${current}`;
  if (wanted.major < have.major) {
    const since = known.filter(({ version }) => (parse(version)?.major ?? 0) > wanted.major);
    const changes = since.map(({ version, changes: what }) => `${version}: ${what}`).join(". ");
    return `${found}. Use a later version of the plugin; or change it, and say contract: "${current}". What changed: ${changes}.`;
  }
  if (wanted.major === have.major && wanted.minor <= have.minor) return undefined;
  return `${found}, which lacks what came later. Use a later sayna-sip, or a version of the plugin for ${current}.`;
}

function parse(version: unknown): { readonly major: number; readonly minor: number } | undefined {
  const [, major, minor] = (typeof version === "string" ? VERSION.exec(version) : null) ?? [];
  return major === undefined || minor === undefined ? undefined : { major: Number(major), minor: Number(minor) };
}
