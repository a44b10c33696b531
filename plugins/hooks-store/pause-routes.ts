import { Elysia } from "elysia";
import { AppError } from "../../src/domain/errors";
import type { Hook } from "../../src/domain/hook";
import type { HostPattern } from "../../src/domain/host-pattern";
import { maySee, type Principal } from "../../src/domain/principal";
import type { AuthPlugin } from "../auth";
import { errorResponses } from "../http-errors";
import type { HookRegistry } from "./hook-registry";
import { HookList, PauseHooks } from "./hook-schemas";
import { readHosts } from "./read-entries";

export type PauseRoutesOptions = {
  readonly auth: AuthPlugin;
  readonly registry: HookRegistry;
  /** The table as this caller sees it. */
  readonly list: (caller: Principal) => Response;
};

const errors = errorResponses([
  "invalid_request",
  "invalid_host",
  "duplicate_host",
  "unauthorized",
  "forbidden",
  "hook_not_found",
  "payload_too_large",
  "hooks_not_saved",
]);

/** Stopping and going on with what is sent to a hook; its events are kept meanwhile. */
export function pauseRoutes({ auth, registry, list }: PauseRoutesOptions) {
  const idsOf = async (hosts: readonly string[], caller: Principal) => {
    const hooks = findHooks(await readHosts(hosts), registry, caller);
    return hooks.map(({ id }) => id);
  };

  return new Elysia({ name: "sayna-sip/pause-hooks", tags: ["hooks"] })
    .use(auth)
    .post(
      "/sip/hooks/pause",
      async ({ body, caller }) => {
        const reason = `paused by ${caller.role === "operator" ? "an operator" : "its tenant"}`;
        await registry.pauseAll(await idsOf(body.hosts, caller), reason).catch(notSaved);
        return list(caller);
      },
      {
        caller: true,
        body: PauseHooks,
        response: { 200: HookList, ...errors },
        detail: {
          summary: "Pause SIP hooks",
          description:
            "Nothing more is sent to them, also after a restart; their events wait, and grow old as the delivery policy says. " +
            "What is under way still ends. Hooks of the configuration too. A tenant: its own. Answers as GET does.",
        },
      },
    )
    .post(
      "/sip/hooks/resume",
      async ({ body, caller }) => {
        await registry.resume(await idsOf(body.hosts, caller)).catch(notSaved);
        return list(caller);
      },
      {
        caller: true,
        body: PauseHooks,
        response: { 200: HookList, ...errors },
        detail: {
          summary: "Resume SIP hooks",
          description:
            "Also those that a 410 has paused. What waits goes out, each call in its order. A tenant: its own. Answers as GET does.",
        },
      },
    );
}

/** @throws AppError `forbidden` to a tenant when one is not its own, whoever else's; `hook_not_found` to an operator. */
function findHooks(hosts: readonly HostPattern[], registry: HookRegistry, caller: Principal): Hook[] {
  const hooks = hosts.flatMap((host) => registry.table.byPattern(host) ?? []);
  const mine = hooks.filter((hook) => maySee(caller, hook.authId));
  if (mine.length === hosts.length) return mine;
  if (caller.role === "tenant") throw new AppError("forbidden");
  const unknown = hosts.filter((host) => registry.table.byPattern(host) === undefined);
  throw new AppError("hook_not_found", { message: unknown.join(", "), fields: { hosts: unknown } });
}

function notSaved(error: unknown): never {
  // Fails closed because a pause that is not on disk would end with a restart.
  throw new AppError("hooks_not_saved", { cause: error });
}
