import type { Storage } from "sayna-sip";
import { createForTest } from "sayna-sip/testing";
import plugin from "./journal-storage";

/** Opens the storage in this directory: what the processes of `testCrashes` run. */
export default async function openJournal(dataDir: string): Promise<Storage> {
  const { storage } = await createForTest(plugin, { dataDir });
  return storage;
}
