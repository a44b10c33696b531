import { Elysia } from "elysia";
import type { Current } from "../../src/contracts/current";
import type { HookVersion, HostDifference } from "../../src/contracts/storage";
import { toWritten } from "../../src/domain/credentials";
import { AppError } from "../../src/domain/errors";
import { ownPolicyOf, type StoredHook } from "../../src/domain/hook";
import type { Principal } from "../../src/domain/principal";
import type { AuthPlugin } from "../auth";
import { errorResponses } from "../http-errors";
import type { HookRegistry } from "./hook-registry";
import { HookList } from "./hook-schemas";
import { listAnswer } from "./list-answer";
import type { EntryRules } from "./read-entries";
import { restoreHooks } from "./restore-hooks";
import { sortInSlices } from "./sort-in-slices";
import { CompareVersions, ListVersions, RollBack, VersionDifference, VersionList } from "./version-schemas";
import { viewPolicy } from "./view-policy";

export type VersionRoutesOptions = {
  readonly rules: Current<EntryRules>;
  readonly auth: AuthPlugin;
  readonly registry: HookRegistry;
  /** The table as this caller sees it. */
  readonly list: (caller: Principal) => Response;
};

const DEFAULT_LIMIT = 50;

/** The versions of the hooks added at run time: operators only, since each of them is about all tenants. */
export function versionRoutes({ auth, registry, list, rules }: VersionRoutesOptions) {
  async function mustExist(...versions: readonly number[]): Promise<void> {
    const newest = await registry.newestVersion();
    // The newest of them: the one before it is in the path when somebody asks what a version changed.
    const asked = Math.max(...versions);
    if (asked > newest) throw new AppError("version_not_found", { message: String(asked) });
  }

  return new Elysia({ name: "sayna-sip/hook-versions", tags: ["hooks"] })
    .use(auth)
    .get(
      "/sip/hooks/versions",
      async ({ query: { limit = DEFAULT_LIMIT, before }, caller }) => {
        operatorOnly(caller);
        const versions = await registry.versions(limit, before);
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
            "Operators only. Each change of the hooks added at run time made one, newest first. Hooks of the configuration have none.",
        },
      },
    )
    .get(
      "/sip/hooks/versions/:a/compare/:b",
      async ({ params: { a, b }, caller }) => {
        operatorOnly(caller);
        await mustExist(a, b);
        const hosts = await sortInSlices(await registry.differences(a, b), ({ host }) => host);
        return listAnswer("hosts", hosts, viewDifference, { from: a, to: b });
      },
      {
        caller: true,
        params: CompareVersions,
        response: {
          200: VersionDifference,
          ...errorResponses(["invalid_request", "unauthorized", "forbidden", "version_not_found"]),
        },
        detail: {
          summary: "Compare two versions of the SIP hooks",
          description: "Operators only. What changed from `a` to `b`.",
        },
      },
    )
    .post(
      "/sip/hooks/rollback",
      async ({ body, caller }) => {
        operatorOnly(caller);
        await mustExist(body.version);
        await registry.restore(caller, body.version, (differences, table) => {
          return restoreHooks(differences, table, caller, { ...rules(), policy: registry.policy });
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
            "Operators only. Makes a new version whose hooks are those of the given one: all of them, or none. Hosts of the configuration " +
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

function summarise({ at, ...version }: HookVersion) {
  return { ...version, hosts: [...version.hosts], at: new Date(at).toISOString() };
}

function viewDifference({ host, before, after }: HostDifference) {
  return {
    host,
    ...(before === undefined ? {} : { before: viewStored(before) }),
    ...(after === undefined ? {} : { after: viewStored(after) }),
  };
}

function viewStored(hook: StoredHook) {
  const { host, url, authId, secretRef, previousSecret, credentials, operatorPolicy } = hook;
  const policy = ownPolicyOf(hook);
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
    ...(operatorPolicy === undefined ? {} : { operator_delivery: viewPolicy(operatorPolicy) }),
  };
}
