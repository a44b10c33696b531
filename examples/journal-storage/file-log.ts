import { mkdir, open, writeFile, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import type { LineLog } from "./line-log";

/** Lines in a file, each one synced to the disk. */
export class FileLog implements LineLog {
  readonly #path: string;
  readonly #file: FileHandle;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  static async open(path: string): Promise<FileLog> {
    await mkdir(dirname(path), { recursive: true });
    const log = new FileLog(path, await open(path, "a+"));
    // The file itself is an entry of its directory.
    await using directory = await open(dirname(path), "r");
    await directory.sync();
    return log;
  }

  async read(): Promise<readonly string[]> {
    const { size } = await this.#file.stat();
    const bytes = Buffer.alloc(size);
    if (size > 0) await this.#file.read(bytes, 0, size, 0);
    const end = bytes.lastIndexOf("\n") + 1;
    // What follows the last line break was being written when the process or the disk gave up: nobody was told that it is kept.
    if (end < size) await this.#file.truncate(end);
    return bytes.subarray(0, end).toString().split("\n").slice(0, -1);
  }

  async append(line: string): Promise<void> {
    await this.#file.appendFile(`${line}\n`);
    await this.#file.datasync();
  }

  async check(): Promise<void> {
    await writeFile(`${this.#path}.probe`, "it can be written");
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
