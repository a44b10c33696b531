/**
 * Makes every write of a running process to its files fail, as when the file system under it has become read-only, by
 * lowering the process's own limit of file sizes to nothing (RLIMIT_FSIZE, setrlimit(2)). That needs no root, and works on files
 * that are open already, which no chmod does. SQLite says SQLITE_IOERR_WRITE, exactly as on an ext4 that the kernel made
 * read-only after an error, and as with `chattr +i` on database and WAL (all three measured).
 *
 * @returns what ends it.
 */
export function makeUnwritable(pid: number): () => void {
  limitFileSize(pid, "0");
  return () => limitFileSize(pid, "unlimited");
}

function limitFileSize(pid: number, size: string): void {
  // The colon: the hard limit stays, or only root could raise the other one again.
  const { success, stderr } = Bun.spawnSync(["prlimit", "--pid", String(pid), `--fsize=${size}:`]);
  if (!success) throw new Error(`prlimit (util-linux) failed: ${stderr.toString()}`);
}
