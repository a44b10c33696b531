import { Elysia } from "elysia";
import type { Current } from "../../src/contracts/current";
import type { Outage } from "../../src/domain/breaker";
import type { Hook } from "../../src/domain/hook";
import type { HookId } from "../../src/domain/ids";
import type { Principal } from "../../src/domain/principal";
import { errorResponses } from "../http-errors";
import type { AuthPlugin } from "../auth";
import { putHooks, removeHooks } from "./change-hooks";
import type { HookRegistry } from "./hook-registry";
import { pauseRoutes } from "./pause-routes";
import { DeleteHooks, HookList, UpdateHooks } from "./hook-schemas";
import { listAnswer } from "./list-answer";
import { readEntries, readHosts, type EntryRules } from "./read-entries";
import { versionRoutes } from "./version-routes";
import { viewHook } from "./view-hook";

export { HookRegistry, type ConfiguredHooks } from "./hook-registry";

export type HooksStoreOptions = {
  readonly rules: Current<EntryRules>;
  readonly auth: AuthPlugin;
  readonly registry: HookRegistry;
  /** Undefined while the hook's endpoint is taken to work. */
  readonly breakerOf: (hook: HookId) => Outage | undefined;
};

/** The routes that read and change the forwarding table. */
export function hooksStore({ auth, registry, breakerOf, rules }: HooksStoreOptions) {
  const conditionOf = ({ id }: Hook) => ({ paused: registry.pausedHook(id), outage: breakerOf(id) });
  const list = (caller: Principal) => {
    const { table } = registry;
    const hooks = caller.role === "operator" ? table.all() : table.ofTenant(caller.id);
    return listAnswer("hooks", hooks, (hook) => viewHook(hook, conditionOf(hook)));
  };
  return new Elysia({ name: "sayna-sip/hooks-store", tags: ["hooks"] })
    .use(auth)
    .use(pauseRoutes({ auth, registry, list }))
    .use(versionRoutes({ auth, registry, list, rules }))
    .get("/sip/hooks", ({ caller }) => list(caller), {
      caller: true,
      response: { 200: HookList, ...errorResponses(["unauthorized"]) },
      detail: {
        summary: "List the SIP hooks",
        description: "The forwarding table: all of it for an operator, the hooks of its own auth_id for a tenant.",
      },
    })
    .post(
      "/sip/hooks",
      async ({ body, caller }) => {
        const { policy } = registry;
        const entries = await readEntries(body.hooks, caller, rules());
        const hosts = entries.map(({ host }) => host);
        await registry.change(caller, hosts, (present, table) => putHooks(entries, { present, table, caller, policy }));
        return list(caller);
      },
      {
        caller: true,
        body: UpdateHooks,
        response: {
          200: HookList,
          ...errorResponses([
            "invalid_request",
            "invalid_host",
            "insecure_url",
            "invalid_url",
            "duplicate_host",
            "auth_id_required",
            "secret_not_allowed",
            "invalid_credentials",
            "invalid_delivery",
            "delivery_not_allowed",
            "unauthorized",
            "forbidden",
            "config_host",
            "payload_too_large",
            "hooks_not_saved",
          ]),
        },
        detail: {
          summary: "Add or replace SIP hooks",
          description:
            "Hooks with the same host are replaced, others are added: all of them, or none. In force for the next event, " +
            "and after a restart. A tenant: its own, on the hosts that it was given. Answers as GET does.",
        },
      },
    )
    .delete(
      "/sip/hooks",
      async ({ body, caller }) => {
        const hosts = await readHosts(body.hosts);
        await registry.change(caller, hosts, (present, table) => removeHooks(present, table, caller));
        return list(caller);
      },
      {
        caller: true,
        body: DeleteHooks,
        response: {
          200: HookList,
          ...errorResponses([
            "invalid_request",
            "invalid_host",
            "duplicate_host",
            "unauthorized",
            "forbidden",
            "hook_not_found",
            "config_host",
            "payload_too_large",
            "hooks_not_saved",
          ]),
        },
        detail: {
          summary: "Delete SIP hooks",
          description:
            "All of them, or none. What is pending for them is cancelled. A tenant: its own. Answers as GET does.",
        },
      },
    );
}
