import { inspect } from "node:util";

/**
 * A secret value that cannot be printed by accident: `String()`, `JSON.stringify`, `console.log` and pino all show
 * `[secret]`. `reveal()` is the one way to the value; call it where the value is used, not before.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [inspect.custom](): string {
    return "[secret]";
  }
}

/**
 * Where a secret comes from. Only `env` and `file` may be stored; a literal exists in the configuration file alone.
 * A reference is read each time it is needed, so that a changed file takes effect.
 */
export type SecretSource =
  | { readonly kind: "literal"; readonly value: Secret }
  | { readonly kind: "env"; readonly name: string }
  | { readonly kind: "file"; readonly path: string };

/** Reads `env:NAME`, `file:PATH` or a literal, as they are written in the configuration. */
export function parseSecretSource(text: string): SecretSource {
  if (text.startsWith("env:")) return { kind: "env", name: text.slice(4) };
  if (text.startsWith("file:")) return { kind: "file", path: text.slice(5) };
  return { kind: "literal", value: new Secret(text) };
}

/** The reference as it was written (`env:NAME`, `file:PATH`); a literal has none. */
export function secretReference(source: SecretSource): string | undefined {
  switch (source.kind) {
    case "env":
      return `env:${source.name}`;
    case "file":
      return `file:${source.path}`;
    case "literal":
      return undefined;
  }
}

/** A secret that is being replaced: it is used beside the new one until `until` (ms since the epoch). */
export type EndingSecret = { readonly secret: SecretSource; readonly until: number };
