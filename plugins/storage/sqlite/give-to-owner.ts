import { chownSync, existsSync, statSync } from "node:fs";

/**
 * Gives files to whom `reference` belongs to. An operator backs up, restores and looks as root, and SQLite makes files beside a
 * database even to read it: what root has made, the service's user could not open any more. For anybody else nothing is to do.
 */
export function giveToOwnerOf(reference: string, ...paths: readonly string[]): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(reference);
  for (const path of paths) {
    if (existsSync(path) && statSync(path).uid !== uid) chownSync(path, uid, gid);
  }
}
