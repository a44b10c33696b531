import { secretReference, type SecretSource } from "../domain/secret";

/**
 * Gives a secret's value as it is now.
 *
 * @throws SecretUnavailable when it cannot be read or is empty. Fails closed because an unsigned or wrongly signed delivery
 *   would be refused, or worse, be taken.
 */
export type ReadSecret = (source: SecretSource) => Promise<string>;

/** A secret is not there, or is not what it must be. The message names the reference, never the value. */
export class SecretUnavailable extends Error {
  constructor(source: SecretSource, why: string) {
    super(`the secret ${secretReference(source) ?? "in the configuration"} ${why}`);
    this.name = "SecretUnavailable";
  }
}
