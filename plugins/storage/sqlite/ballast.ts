import { randomFillSync } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { open, rm, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";

/** For what the room is given up. Upkeep has a part of its own, so that events cannot use up what would make room for them. */
export type RoomUse = "events" | "upkeep";

const FILES: Readonly<Record<RoomUse, string>> = { events: "sayna-sip.ballast", upkeep: "sayna-sip.reserve" };
const UPKEEP_SHARE = 0.25;
const CHUNK = 1024 * 1024;

/**
 * Files that do nothing but take up room. On a full disk a DELETE fails as an INSERT does, because both write to the WAL
 * first (measured): so retention could not help. Giving these files up makes the room that it needs.
 */
export class Ballast {
  readonly #parts: Readonly<Record<RoomUse, Part>>;

  constructor(dataDir: string, bytes: number) {
    const upkeep = Math.floor(bytes * UPKEEP_SHARE);
    this.#parts = {
      events: new Part(join(dataDir, FILES.events), bytes - upkeep),
      upkeep: new Part(join(dataDir, FILES.upkeep), upkeep),
    };
  }

  /** Gives room up; true when there was any to give. */
  release(use: RoomUse): boolean {
    return this.#parts.events.release() || (use === "upkeep" && this.#parts.upkeep.release());
  }

  /**
   * Makes what is missing when the disk has twice its size free; outside this thread, which goes on meanwhile.
   *
   * @returns whether all of it is there.
   */
  async make(): Promise<boolean> {
    return (await this.#parts.upkeep.make()) && this.#parts.events.make();
  }
}

/** Gives up what an earlier run left; true when there was something. */
export function removeBallast(dataDir: string): boolean {
  const files = Object.values(FILES)
    .map((name) => join(dataDir, name))
    .filter((file) => existsSync(file));
  for (const file of files) rmSync(file, { force: true });
  return files.length > 0;
}

class Part {
  readonly #file: string;
  readonly #bytes: number;
  #released = false;

  constructor(file: string, bytes: number) {
    this.#file = file;
    this.#bytes = bytes;
  }

  release(): boolean {
    if (this.#released || !existsSync(this.#file)) return false;
    this.#released = true;
    rmSync(this.#file, { force: true });
    return true;
  }

  async make(): Promise<boolean> {
    if (this.#bytes === 0) return true;
    const { bavail, bsize } = await statfs(dirname(this.#file));
    const size = await stat(this.#file).then(
      (found) => found.size,
      () => 0,
    );
    if (size === this.#bytes) return true;
    if (bavail * bsize < 2 * this.#bytes) return false;
    this.#released = false;
    await this.#write();
    return !this.#released;
  }

  /** Random bytes, since a file system that compresses would keep no room for zeros. */
  async #write(): Promise<void> {
    const chunk = randomFillSync(new Uint8Array(Math.min(CHUNK, this.#bytes)));
    try {
      const file = await open(this.#file, "w", 0o600);
      try {
        for (let left = this.#bytes; left > 0; left -= chunk.length) {
          await file.write(chunk, 0, Math.min(chunk.length, left));
        }
        await file.sync();
      } finally {
        await file.close();
      }
    } catch (error) {
      await rm(this.#file, { force: true });
      throw error;
    }
  }
}
