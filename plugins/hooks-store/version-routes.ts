import { Elysia } from "elysia";
import type { HookChange } from "../../src/contracts/storage";
import { toWritten } from "../../src/domain/credentials";
import { AppError } from "../../src/domain/errors";
import type { StoredHook } from "../../src/domain/hook";
import type { Principal } from "../../src/domain/principal";
import type { AuthPlugin } from "../auth";
import { errorResponses } from "../http-errors";
import type { HookRegistry } from "./hook-registry";
import { HookList, type HookView } from "./hook-schemas";
import { compareTables, tableAt } from "./hook-versions";
import type { EntryRules } from "./read-entries";
import { restoreHooks } from "./restore-hooks";
import { CompareVersions, ListVersions, RollBack, VersionDifference, VersionList } from "./version-schemas";
import { viewPolicy } from "./view-policy";

export type VersionRoutesOptions = Omit<EntryRules, "policy"> & {
  readonly auth: AuthPlugin;
  readonly registry: HookRegistry;
  /** The table as this caller sees it. */
  readonly list: (caller: Principal) => { hooks: HookView[] };
};

const DEFAULT_LIMIT = 50;
const HOSTS_SHOWN = 20;

/** The versions of the hooks added at run time: operators only, since each of them is about all tenants. */
export function versionRoutes({ auth, registry, list, ...rules }: VersionRoutesOptions) {
  const read = registry.changes;
  return new Elysia({ name: "sayna-sip/hook-versions", tags: ["hooks"] })
    .use(auth)
    .get(
      "/sip/hooks/versions",
      async ({ query: { limit = DEFAULT_LIMIT, before }, caller }) => {
        operatorOnly(caller);
        const versions = await read(limit, before);
        const oldest = versions.at(-1)?.version ?? 1;
        return { versions: versions.map(summarise), ...(oldest > 1 ? { next: oldest } : {}) };
      },
      {
        caller: true,
        query: ListVersions,
        response: { 200: VersionList, ...errorResponses(["invalid_request", "unauthorized", "forbidden"]) },
        detail: {
          summary: "List the versions of the SIP hooks",
          description:
            "Each change of the hooks added at run time made one, newest first. Hooks of the configuration have none.",
        },
      },
    )
    .get(
      "/sip/hooks/versions/:a/compare/:b",
      async ({ params: { a, b }, caller }) => {
        operatorOnly(caller);
        const hosts = compareTables(await tableAt(a, read), await tableAt(b, read));
        return { from: a, to: b, hosts: hosts.map(viewDifference) };
      },
      {
        caller: true,
        params: CompareVersions,
        response: {
          200: VersionDifference,
          ...errorResponses(["invalid_request", "unauthorized", "forbidden", "version_not_found"]),
        },
        detail: { summary: "Compare two versions of the SIP hooks", description: "What changed from `a` to `b`." },
      },
    )
    .post(
      "/sip/hooks/rollback",
      async ({ body, caller }) => {
        operatorOnly(caller);
        const target = await tableAt(body.version, read);
        await registry.change(caller, (current, table) => {
          return restoreHooks(current, target, table, caller, { ...rules, policy: registry.policy });
        });
        return list(caller);
      },
      {
        caller: true,
        body: RollBack,
        response: {
          200: HookList,
          ...errorResponses([
            "invalid_request",
            "unauthorized",
            "forbidden",
            "version_not_found",
            "auth_id_required",
            "insecure_url",
            "invalid_url",
            "secret_not_allowed",
            "invalid_delivery",
            "payload_too_large",
            "hooks_not_saved",
          ]),
        },
        detail: {
          summary: "Go back to an earlier version of the SIP hooks",
          description:
            "Makes a new version whose hooks are those of the given one: all of them, or none. Hosts of the configuration " +
            "stay as they are. What is pending for a hook that goes is cancelled, and does not come back with it. A secret " +
            "reference that is not allowed any more refuses it. Answers as GET /sip/hooks does.",
        },
      },
    );
}

/** A rollback would undo other tenants' changes, and a list would show them. */
function operatorOnly({ role }: Principal): void {
  if (role !== "operator") throw new AppError("forbidden");
}

function summarise({ version, at, who, hosts }: HookChange) {
  return {
    version,
    at: new Date(at).toISOString(),
    who,
    added: hosts.filter(({ before }) => before === undefined).length,
    replaced: hosts.filter(({ before, after }) => before !== undefined && after !== undefined).length,
    removed: hosts.filter(({ after }) => after === undefined).length,
    hosts: hosts.slice(0, HOSTS_SHOWN).map(({ host }) => host),
  };
}

function viewDifference({ host, before, after }: { host: string; before?: StoredHook; after?: StoredHook }) {
  return {
    host,
    ...(before === undefined ? {} : { before: viewStored(before) }),
    ...(after === undefined ? {} : { after: viewStored(after) }),
  };
}

function viewStored({ host, url, authId, secretRef, previousSecret, credentials, policy }: StoredHook) {
  return {
    host,
    url,
    ...(authId === undefined ? {} : { auth_id: authId }),
    ...(secretRef === undefined ? {} : { secret: secretRef }),
    ...(previousSecret === undefined
      ? {}
      : { previous_secret: { secret: previousSecret.ref, until: new Date(previousSecret.until).toISOString() } }),
    ...(credentials === undefined ? {} : { credentials: toWritten(credentials) }),
    ...(policy === undefined ? {} : { delivery: viewPolicy(policy) }),
  };
}
