import type { SipConfig } from "../../plugins/config-loader";
import type { HookList } from "../../plugins/hooks-store/hook-schemas";
import { createSecretReader } from "../../plugins/webhook-forwarder/dispatcher/read-secret";
import { testHook } from "../../plugins/webhook-forwarder/hook-test";
import { EXAMPLE_EVENT_NAME } from "../../plugins/webhook-forwarder/hook-test/example-event";
import type { HookTestAnswer } from "../../plugins/webhook-forwarder/hook-test/hook-test-schemas";
import { viewHookTest } from "../../plugins/webhook-forwarder/hook-test/view-hook-test";
import { createSender } from "../../plugins/webhook-forwarder/sender";
import { createSigningKeys } from "../../plugins/signing-key";
import { toHooks } from "../sip-settings";
import type { Clock } from "../contracts/clock";
import { fixed } from "../contracts/current";
import type { HookTester } from "./check-hooks";
import type { Service } from "./check-service";

/** All hooks of the running service, tested from where it is. */
export const testByService = (service: Service): HookTester => ({
  hosts: async () =>
    (await service.get<{ hooks: (typeof HookList.static)["hooks"] }>("/sip/hooks")).hooks.map((hook) => hook.host),
  test: async (host) => (await service.send<HookTestAnswer>("POST", "/sip/hooks/test", { host })).test,
});

/** The hooks of the configuration, tested from here, for when the service cannot be asked. */
export function testFromHere(sip: SipConfig, clock: Clock): HookTester & { readonly close: () => void } {
  const hooks = toHooks(sip);
  const sender = createSender({ allowedRanges: sip.allowed_hook_ranges });
  const readSecret = createSecretReader();
  const keys = createSigningKeys({ sources: fixed({ key: sip.signing_key, previous: undefined }), readSecret });
  return {
    hosts: async () => hooks.map(({ host }) => host),
    async test(host) {
      const hook = hooks.find((one) => one.host === host);
      if (hook === undefined) throw new Error("the configuration has no such hook");
      const test = await testHook(hook, {
        sender,
        clock,
        readSecret,
        policy: { deadline: hook.policy?.deadline ?? sip.delivery.deadline },
        hookSecret: sip.hook_secret,
        signingKeys: async (now) => (await keys(now)).map((listed) => listed.key),
        roomPrefix: sip.room_prefix,
      });
      const condition = { paused: false, outage: undefined, event: EXAMPLE_EVENT_NAME, now: clock.now() };
      return viewHookTest({ hook, test, ...condition }, { role: "operator", id: "doctor" });
    },
    close: () => sender.close(),
  };
}
