import type { Page } from "../../src/contracts/history";
import type { Storage } from "../../src/contracts/storage";
import type { StoredHook } from "../../src/domain/hook";

/** The hooks added at run time as this storage has them. */
export async function storedHooks(storage: Storage): Promise<StoredHook[]> {
  const hooks: StoredHook[] = [];
  for (let after: { after?: string } | undefined = {}; after !== undefined;) {
    const { entries, next }: Page<StoredHook> = await storage.readHooks({ limit: 500, ...after });
    hooks.push(...entries);
    after = next === undefined ? undefined : { after: next };
  }
  return hooks;
}
