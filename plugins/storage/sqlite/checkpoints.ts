import type { Database } from "bun:sqlite";
import { Worker } from "node:worker_threads";
import type { Logger } from "../../../src/contracts/logger";
import type { CheckpointMessage } from "./checkpoint-worker";

export type CheckpointsOptions = {
  readonly db: Database;
  readonly file: string;
  readonly log: Logger;
};

/** A service without traffic needs no second thread: it is started after so many commits. */
const WORTH_A_THREAD = 200;
/** How often what was committed is copied, in ms. */
const EVERY_MS = 250;
/** With so many frames in the WAL the writer copies the last few itself, so that it begins at the WAL's start again. */
const WRAP_FRAMES = 2_000;
/** Should the thread not come after, the writer copies all at this many: a stall of 40 ms. SQLite's own is 1,000. */
const FALLBACK_FRAMES = 4_000;
const DEFAULT_FRAMES = 1_000;

/**
 * Checkpoints beside the commits. In the writer's thread each one stalls the event loop for 5 to 30 ms, four times a second
 * at 200 events/s; a thread alone would never let the WAL begin anew under steady load, as new frames come in while it copies.
 */
export class Checkpoints {
  readonly #options: CheckpointsOptions;
  readonly #copyRest;
  #worker: Worker | undefined;
  #commits = 0;
  #copied = 0;
  #underWay = false;
  #timer: Timer | undefined;

  constructor(options: CheckpointsOptions) {
    this.#options = options;
    this.#copyRest = options.db.query("pragma wal_checkpoint(passive)");
  }

  /** To be told of each commit. */
  committed(): void {
    this.#commits++;
    if (this.#underWay || this.#commits < WORTH_A_THREAD) return;
    this.#underWay = true;
    if (this.#worker === undefined) this.#startWorker();
    else this.#copySoon(this.#worker);
  }

  /** Resolves when no other thread uses the database. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#worker?.terminate();
  }

  #startWorker(): void {
    const { db, file, log } = this.#options;
    const worker = new Worker(new URL("checkpoint-worker.ts", import.meta.url), { workerData: file });
    worker.unref();
    worker.on("message", (message: CheckpointMessage) => {
      if (message === "ready") db.run(`pragma wal_autocheckpoint = ${FALLBACK_FRAMES}`);
      else if (message !== "failed" && message.log > WRAP_FRAMES) this.#copyRest.all();
      this.#underWay = false;
      if (this.#commits > this.#copied) this.committed();
    });
    worker.on("error", (error) => {
      // Fails open because the writer makes the checkpoints then, as SQLite does by default.
      log.warn({ err: error }, "Checkpoints are made beside the commits no more: acknowledgements may be 30 ms late");
      db.run(`pragma wal_autocheckpoint = ${DEFAULT_FRAMES}`);
    });
    this.#worker = worker;
  }

  #copySoon(worker: Worker): void {
    this.#timer = setTimeout(() => {
      this.#copied = this.#commits;
      worker.postMessage("copy");
    }, EVERY_MS);
    this.#timer.unref();
  }
}
