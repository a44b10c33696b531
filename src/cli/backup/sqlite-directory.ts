import { BackupError } from "../../../plugins/storage/sqlite";
import { CommandError } from "../command-error";
import type { ConfigFlags } from "../config-options";
import { readConfiguration } from "../read-configuration";
import { visible } from "../visible";

/**
 * The data directory of the configuration's SQLite.
 *
 * @param otherwise for Postgres, its own command.
 * @throws CommandError for another storage.
 */
export function sqliteDirectory(flags: ConfigFlags, otherwise: string): string {
  const { storage, data_dir: dataDir } = readConfiguration(flags);
  if (storage === "sqlite") return dataDir;
  if (typeof storage !== "string") {
    throw new CommandError("The storage is Postgres, which has commands of its own for that", { hint: otherwise });
  }
  throw new CommandError(`The storage is the plugin ${storage}'s, which alone can do that`, {
    hint: "See its documentation.",
  });
}

/** Runs it; what it complains of ends the command. A damaged file has its say in the message. */
export function withBackupErrors<Result>(run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    throw new CommandError(visible(error.message), error.hint === undefined ? {} : { hint: error.hint });
  }
}
