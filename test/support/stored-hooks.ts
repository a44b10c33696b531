import type { Storage } from "../../src/contracts/storage";
import type { StoredHook } from "../../src/domain/hook";

/** The hooks added at run time as this storage has them. */
export async function storedHooks(storage: Storage): Promise<StoredHook[]> {
  const hooks: StoredHook[] = [];
  for await (const page of storage.readHooks()) hooks.push(...page);
  return hooks;
}
