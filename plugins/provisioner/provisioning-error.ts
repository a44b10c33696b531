/** What could not be provisioned. */
export type Resource = { readonly kind: "trunk" | "dispatch rule"; readonly name: string };

export type ProvisioningProblem = {
  /** Plain words, one sentence without its full stop. */
  readonly cause: string;
  /** What the operator can do about it, one sentence. */
  readonly hint: string;
};

/** Provisioning ended without success. The message has the resource's name, the cause and what to do; no secret. */
export class ProvisioningError extends Error {
  readonly resource: Resource;
  readonly hint: string;

  constructor(resource: Resource, { cause, hint }: ProvisioningProblem) {
    super(`SIP ${resource.kind} ${resource.name} could not be provisioned: ${cause}. ${hint}`);
    this.name = "ProvisioningError";
    this.resource = resource;
    this.hint = hint;
  }
}
