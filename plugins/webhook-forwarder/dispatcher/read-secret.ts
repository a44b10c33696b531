import { readFile, stat } from "node:fs/promises";
import { SecretUnavailable, type ReadSecret } from "../../../src/contracts/read-secret";
import type { SecretSource } from "../../../src/domain/secret";

export type SecretReaderOptions = {
  /** A monotonic clock in milliseconds. */
  readonly now?: () => number;
  readonly env?: Readonly<Record<string, string | undefined>>;
};

type FileSource = Extract<SecretSource, { kind: "file" }>;
type Known = { readonly version: string; readonly value: string };

/** How long a file that was looked at counts as unchanged: a changed one is in force within this time. */
const FRESH_MS = 1_000;
/** Certificate chains are the longest. What is longer is no secret. */
const LARGEST = 64 * 1024;

/**
 * Reads secrets by their references. A variable is read each time. A file is looked at once a second at most, however many
 * deliveries need it, and read again when its size, its times or its inode changed: mounted secrets are exchanged by a
 * symbolic link, others are written in place.
 */
export function createSecretReader(options: SecretReaderOptions = {}): ReadSecret {
  const { now = () => performance.now(), env = process.env } = options;
  const known = new Map<string, Known>();
  const looks = new Map<string, { readonly at: number; readonly value: Promise<string> }>();

  function fromFile(source: FileSource): Promise<string> {
    const last = looks.get(source.path);
    if (last !== undefined && now() - last.at < FRESH_MS) return last.value;
    const look = { at: now(), value: lookAt(source) };
    looks.set(source.path, look);
    // A file that cannot be read now may be there for the next delivery.
    look.value.catch(() => looks.get(source.path) === look && looks.delete(source.path));
    return look.value;
  }

  async function lookAt(source: FileSource): Promise<string> {
    const { path } = source;
    try {
      const info = await stat(path, { bigint: true });
      // Reading a pipe or a device would wait for ever.
      if (!info.isFile()) throw new SecretUnavailable(source, "cannot be read: it is not a file");
      if (info.size > LARGEST) throw new SecretUnavailable(source, "cannot be read: it is larger than 64 KiB");
      const version = [info.dev, info.ino, info.size, info.mtimeNs, info.ctimeNs].join(":");
      const before = known.get(path);
      if (before?.version === version) return before.value;
      // Editors and `echo` end a file with a newline that is no part of the secret.
      const value = (await readFile(path, "utf8")).replace(/\r?\n$/, "");
      if (value === "") throw new SecretUnavailable(source, "cannot be read: it is empty");
      known.set(path, { version, value });
      return value;
    } catch (error) {
      known.delete(path);
      if (error instanceof SecretUnavailable) throw error;
      const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
      throw new SecretUnavailable(source, `cannot be read: ${code}`);
    }
  }

  return async (source) => {
    switch (source.kind) {
      case "literal":
        return source.value.reveal();
      case "env": {
        const value = env[source.name] ?? "";
        if (value === "") throw new SecretUnavailable(source, "cannot be read: it is not set, or empty");
        return value;
      }
      case "file":
        return fromFile(source);
    }
  };
}
