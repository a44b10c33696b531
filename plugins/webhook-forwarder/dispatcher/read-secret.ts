import { readFile } from "node:fs/promises";
import type { SecretSource } from "../../../src/domain/secret";

/** A secret that the configuration refers to is not there; the message names the reference. */
export class SecretUnavailable extends Error {
  constructor(reference: string, cause?: unknown) {
    super(`the secret ${reference} cannot be read`, { cause });
    this.name = "SecretUnavailable";
  }
}

/**
 * The secret's value now: a file or variable is read each time, so that a changed one takes effect.
 *
 * @throws SecretUnavailable when it is missing or empty. Fails closed because an unsigned or wrongly signed delivery would
 *   be refused, or worse, be taken.
 */
export async function readSecret(source: SecretSource): Promise<string> {
  switch (source.kind) {
    case "literal":
      return source.value.reveal();
    case "env":
      return notEmpty(process.env[source.name] ?? "", `env:${source.name}`);
    case "file": {
      const reference = `file:${source.path}`;
      const text = await readFile(source.path, "utf8").catch((error: unknown) => {
        throw new SecretUnavailable(reference, error);
      });
      // Editors and `echo` end a file with a newline that is no part of the secret.
      return notEmpty(text.replace(/\r?\n$/, ""), reference);
    }
  }
}

function notEmpty(value: string, reference: string): string {
  if (value === "") throw new SecretUnavailable(reference);
  return value;
}
