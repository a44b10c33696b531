import { Command } from "@commander-js/extra-typings";
import type { CopyResult, CopyStep } from "../../plugins/storage/copy";

const EXAMPLES = `
Examples:
  sayna-sip storage copy --from ./data --to postgres://sayna@db.internal/sayna
  STORAGE_URL=postgres://sayna:secret@db.internal/sayna sayna-sip storage copy --from ./data --json

Stop the service first, and start it with STORAGE_URL when the copy is finished. A copy that was ended in any way goes on
when the same command is run again. The SQLite is left as it is; do not run a service on it any more, or what waits is sent twice.

Exit code: 0 all of it is copied and the same in both, 1 it is not, 2 wrong usage.`;

/** Between two lines about the same table. */
const REPORT_MS = 2_000;

/** `sayna-sip storage copy`: from a single machine's SQLite to Postgres. */
export function storageCopyCommand() {
  const command = new Command("copy")
    .description("copy a single machine's SQLite into an empty Postgres, and verify it")
    .requiredOption("--from <path>", "SQLite's data directory, or sayna-sip.db in it")
    .option("--to <url>", "postgres://user:password@host:port/database; without it STORAGE_URL")
    .option("--restart", "forget what an earlier run has copied without finishing, and begin anew")
    .option("--json", "say the result as JSON")
    .addHelpText("after", EXAMPLES)
    .showHelpAfterError("(sayna-sip storage copy --help has examples)")
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
  return command.action(async ({ from, to: given, restart = false, json = false }) => {
    const to = given ?? process.env.STORAGE_URL ?? "";
    if (!/^postgres(ql)?:\/\//.test(to)) {
      const what = to === "" ? "is missing" : "is no postgres:// URL";
      command.error(`error: --to ${what}: it, or STORAGE_URL, names the Postgres to copy into`);
    }
    process.exit(await run({ from, to, restart, json }));
  });
}

type Run = { readonly from: string; readonly to: string; readonly restart: boolean; readonly json: boolean };

async function run({ from, to, restart, json }: Run): Promise<number> {
  const { copyStorage } = await import("../../plugins/storage/copy");
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const log = {
    debug: () => {},
    info: () => {},
    warn: (_: object, message: string) => say(`warning: ${message}`),
    error: (_: object, message: string) => say(`error: ${message}`),
  };
  try {
    const result = await copyStorage({ from, to, restart, log, report: reporter(say) });
    process.stdout.write(json ? `${JSON.stringify(result, null, 2)}\n` : describe(result));
    return 0;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (json) process.stdout.write(`${JSON.stringify({ error: { code: "failed", message } }, null, 2)}\n`);
    const { CopyError } = await import("../../plugins/storage/copy/copy-error");
    const { StorageOpenError } = await import("../../plugins/storage/sql/storage-open-error");
    const isOurs = error instanceof CopyError || error instanceof StorageOpenError;
    say(
      isOurs
        ? `error: ${message}`
        : `error: The copy ended: ${message}. When the cause is gone, run the same command again; it goes on where it was.`,
    );
    return 1;
  }
}

/** Says how far a table is every now and then, and when it is done. */
function reporter(say: (line: string) => void): (step: CopyStep) => void {
  let saidAt = 0;
  return (step) => {
    if (step.kind === "begins") {
      say(`${step.resumed ? "Going on with the copy of" : "Copying"} ${step.from} to ${step.to}`);
      return;
    }
    if (step.kind === "queued") {
      say(`${step.lanes} calls have something left to be sent`);
      return;
    }
    const now = performance.now();
    if (step.rows < step.of && now - saidAt < REPORT_MS) return;
    saidAt = now;
    say(`${step.kind === "copied" ? "copied" : "verified"} ${step.table}: ${step.rows} of ${step.of}`);
  };
}

function describe({ from, to, alreadyDone, tables }: CopyResult): string {
  const rows = tables.map(
    ({ table, rows: n, sha256 }) => `  ${table.padEnd(18)} ${String(n).padStart(9)}  ${sha256.slice(0, 16)}…`,
  );
  const first = alreadyDone
    ? `${to} holds all of ${from} already: it was copied before.`
    : `${from} is copied to ${to}, and the same there:`;
  return `${[first, ...rows].join("\n")}\nStart the service with STORAGE_URL naming it, and none on the SQLite any more.\n`;
}
