/** Copies what is in the WAL into the database, in a thread of its own: the copying and the sync of the disk block no event. */
import { Database } from "bun:sqlite";
import { parentPort, workerData } from "node:worker_threads";

/** The row of `wal_checkpoint`: frames in the WAL, and how many of them are in the database. */
export type CheckpointMessage = "ready" | "failed" | { readonly log: number; readonly checkpointed: number };

const db = new Database(String(workerData), { create: false, readwrite: true });
db.run("pragma synchronous = full");
const checkpoint = db.query<Extract<CheckpointMessage, object>, []>("pragma wal_checkpoint(passive)");

parentPort?.on("message", () => {
  try {
    parentPort?.postMessage(checkpoint.get() ?? "failed");
  } catch {
    // Fails open because the WAL only grows until a checkpoint can be made, here or in the writer's thread.
    parentPort?.postMessage("failed");
  }
});
parentPort?.postMessage("ready");
