import { Elysia } from "elysia";
import type { Current } from "../../../src/contracts/current";
import type { Logger } from "../../../src/contracts/logger";
import type { Outage } from "../../../src/domain/breaker";
import { AppError } from "../../../src/domain/errors";
import type { Hook } from "../../../src/domain/hook";
import type { HookId } from "../../../src/domain/ids";
import type { Principal } from "../../../src/domain/principal";
import type { AuthPlugin } from "../../auth";
import { findHook } from "../../history/find-hook";
import type { HookRegistry } from "../../hooks-store";
import { errorResponses } from "../../http-errors";
import type { HookSecrets } from "../dispatcher/read-signers";
import { HookTestAnswer, TestHookRequest } from "./hook-test-schemas";
import { EXAMPLE_EVENT_NAME } from "./example-event";
import { testHook, type TestHookOptions } from "./test-hook";
import { viewHookTest } from "./view-hook-test";

export { testHook, type HookTest, type TestHookOptions } from "./test-hook";

export type HookTestPluginOptions = Omit<TestHookOptions, "policy" | keyof HookSecrets> & {
  readonly hookSecrets: Current<HookSecrets>;
  readonly auth: AuthPlugin;
  readonly registry: HookRegistry;
  /** Undefined while the hook's endpoint is taken to work. */
  readonly breakerOf: (hook: HookId) => Outage | undefined;
  readonly log: Logger;
};

/** `POST /sip/hooks/test`. */
export function hookTest({ auth, registry, breakerOf, log, ...options }: HookTestPluginOptions) {
  const underWay = new Set<HookId>();

  async function test(hook: Hook, caller: Principal) {
    // A tenant decides the URL: one request at a time is all that it makes us send there.
    if (underWay.has(hook.id)) throw new AppError("hook_test_under_way", { fields: { host: hook.host } });
    underWay.add(hook.id);
    try {
      const tested = await testHook(hook, { ...options, ...options.hookSecrets(), policy: registry.policyOf(hook) });
      const { webhookId, attempt } = tested;
      const came = { status: attempt.status, error: attempt.error, ms: attempt.durationMs };
      log.info({ hook: hook.id, host: hook.host, who: caller.id, event: webhookId, ...came }, "SIP hook tested");
      return tested;
    } finally {
      underWay.delete(hook.id);
    }
  }

  return new Elysia({ name: "sayna-sip/hook-test", tags: ["hooks"] }).use(auth).post(
    "/sip/hooks/test",
    async ({ body, caller }) => {
      const hook = findHook(body.host, registry.table, caller);
      const tested = await test(hook, caller);
      const condition = { paused: registry.isPaused(hook.id), outage: breakerOf(hook.id), now: options.clock.now() };
      return { test: viewHookTest({ hook, test: tested, event: EXAMPLE_EVENT_NAME, ...condition }, caller) };
    },
    {
      caller: true,
      body: TestHookRequest,
      response: {
        200: HookTestAnswer,
        ...errorResponses([
          "invalid_request",
          "invalid_host",
          "unauthorized",
          "forbidden",
          "hook_not_found",
          "hook_test_under_way",
          "payload_too_large",
        ]),
      },
      detail: {
        summary: "Test a SIP hook",
        description:
          "Sends it a signed example, a `room_finished` with `X-Sayna-Test: true`, by the way of a delivery, and tells what came " +
          "of it: also when that is a failure. Nothing is stored, and nothing else depends on it. A paused hook is sent it too. " +
          "A tenant: its own. Answers when the hook has, or at its deadline.",
      },
    },
  );
}
