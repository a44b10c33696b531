import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testConcurrency, testCrashes } from "../../../src/testing";
import openSqlite from "./open-sqlite";

async function create() {
  const place = await mkdtemp(join(tmpdir(), "sayna-sip-"));
  return { place, open: () => openSqlite(place), remove: () => rm(place, { recursive: true }) };
}

testConcurrency("SQLite storage, asked for much at once", create);
testCrashes("SQLite storage, killed", { module: join(import.meta.dir, "open-sqlite.ts"), create });
