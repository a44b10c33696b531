import { afterEach, beforeEach } from "bun:test";
import type { Storage } from "../storage";

export type StorageUnderTest = {
  /** Opens the storage, empty at the first call, and as it was left at the next ones. */
  readonly open: () => Promise<Storage>;
  /** Removes what the opened storages left. */
  readonly remove: () => Promise<void>;
};

export type OpenedStorage = {
  /** The one of the test that is running. */
  readonly storage: Storage;
  readonly reopen: () => Promise<void>;
};

/** Opens a storage for each of the tests of the `describe` that this is called in. */
export function openedStorage(create: () => Promise<StorageUnderTest>): OpenedStorage {
  let created: StorageUnderTest;
  let storage: Storage;

  beforeEach(async () => {
    created = await create();
    storage = await created.open();
  });

  afterEach(async () => {
    await storage.close();
    await created.remove();
  });

  return {
    get storage() {
      return storage;
    },

    async reopen() {
      await storage.close();
      storage = await created.open();
    },
  };
}
