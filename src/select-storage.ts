import { createStorage, type CreatedPlugin, type LoadedPlugin } from "../plugins/plugin-host";
import { createSqliteStorage } from "../plugins/storage/sqlite";
import type { Clock } from "./contracts/clock";
import type { Logger } from "./contracts/logger";
import type { Storage } from "./contracts/storage";
import type { Secret } from "./domain/secret";

/** `storage` names one that nobody brings. */
export class StorageChoiceError extends Error {
  constructor(name: string, known: readonly string[]) {
    super(`storage (STORAGE_URL) names ${name}, which no plugin brings. Known are: ${known.join(", ")}.`);
    this.name = "StorageChoiceError";
  }
}

export type StorageChoice = {
  /** `sqlite`, a plugin's name, or where the Postgres is: a URL, which may hold a password. */
  readonly storage: string | { readonly postgres: Secret };
  readonly plugins: readonly LoadedPlugin[];
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Logger;
};

/**
 * Opens the storage that the configuration selects; `plugin` is what else a plugin's brings.
 *
 * @throws StorageChoiceError when there is none of that name. Fails closed because events would be kept elsewhere than asked
 *   for. StorageOpenError, PluginStartError when it cannot be opened.
 */
export async function selectStorage({
  storage: name,
  plugins,
  dataDir,
  clock,
  log,
}: StorageChoice): Promise<{ readonly storage: Storage; readonly plugin?: CreatedPlugin }> {
  if (typeof name !== "string") {
    // What it is made of takes 6 MB, which a service with the embedded storage does not need.
    const { createPostgresStorage } = await import("../plugins/storage/postgres");
    return { storage: await createPostgresStorage({ url: name.postgres.reveal(), clock, log }) };
  }
  if (name === "sqlite") return { storage: createSqliteStorage({ dataDir, clock, log }) };
  for (const loaded of plugins) {
    if (loaded.plugin.kind !== "storage" || loaded.name !== name) continue;
    const plugin = await createStorage(loaded, loaded.plugin, { clock, log, dataDir });
    return { storage: plugin.storage, plugin };
  }
  const brought = plugins.flatMap((loaded) => (loaded.plugin.kind === "storage" ? [loaded.name] : []));
  throw new StorageChoiceError(name, ["sqlite", ...brought]);
}
