import { Elysia } from "elysia";
import { createProvisioner, type Provisioner, type ProvisionerOptions } from "./create-provisioner";

export { createProvisioner } from "./create-provisioner";
export type { Provisioner, ProvisionerOptions, ProvisioningState } from "./create-provisioner";
export type { Difference, Differences } from "./change";
export type { Verdict } from "./judge-refusal";
export { listSip, type ListedSip } from "./list-sip";
export { previewProvisioning, type Preview, type ResourcePreview } from "./preview-provisioning";
export { dispatchRuleName, hasNoTrunks, trunkName, type ProvisioningSettings } from "./provision";
export { ProvisioningError } from "./provisioning-error";
export type { SipItem } from "./sip-items";
export { createSipClient } from "./twirp-client";

/**
 * LiveKit's SIP trunk and dispatch rule as a plugin: `provisioner` in the context, whose `run()` is left to the
 * program, because the port opens first.
 *
 * @example
 * const sip = provisioner({ url: "ws://localhost:7880", apiKey, apiSecret, roomPrefix: "sip-", … });
 * new Elysia().use(sip).listen(3001);
 * await sip.decorator.provisioner.run();
 *
 * @throws {TypeError} when the options are wrong.
 */
export const provisioner = (options: ProvisionerOptions) =>
  new Elysia({ name: "provisioner" }).decorate("provisioner", createProvisioner(options) satisfies Provisioner);
