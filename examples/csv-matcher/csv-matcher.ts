import { readFile, stat } from "node:fs/promises";
import { defineMatcher, defineRoute, Option, Type } from "sayna-sip";
import { readTable, type NumberTable } from "./read-table";

/** Gives calls to hooks by the called number, from a CSV file that is read again when it changes. */
export default defineMatcher({
  name: "csv-numbers",
  contract: "1.0",
  options: Type.Object({
    file: Option.path({ description: "The table: a line `number,host`, then one for each number." }),
    check_every: Option.duration({ description: "How often the file is looked at.", default: "5s" }),
  }),

  async create({ options: { file, check_every: checkEvery }, log, clock, metrics }) {
    const size = metrics.gauge({ name: "numbers", help: "Numbers in the table." });
    const failures = metrics.counter({ name: "failed_reads_total", help: "Changed files that could not be read." });
    // A file that is wrong at start ends the start.
    let version = await versionOf(file);
    let table: NumberTable = readTable(await readFile(file, "utf8"));
    let cancel = () => {};
    size.set(table.size);

    async function look(): Promise<void> {
      try {
        const now = await versionOf(file);
        if (now !== version) {
          table = readTable(await readFile(file, "utf8"));
          version = now;
          size.set(table.size);
          log.info({ file, numbers: table.size }, "The table of numbers was read again");
        }
      } catch (error) {
        // The last table that was right goes on; a file that is being written is looked at again.
        failures.add();
        log.error({ err: error, file }, "The table of numbers cannot be read: the last one is used");
      }
      plan();
    }

    function plan(): void {
      cancel = clock.after(checkEvery, () => void look());
    }

    plan();
    return {
      match({ called, hooks }) {
        const host = called.number === undefined ? undefined : table.get(called.number);
        if (host === undefined) return { kind: "not-mine" };
        const hook = hooks.byHost(host);
        // The number is somebody's whose hook is not there yet: nobody else gets the call.
        return hook === undefined ? { kind: "none" } : { kind: "hook", hook };
      },
      routes: [
        defineRoute({
          method: "GET",
          path: "/numbers/:number",
          access: "operator",
          summary: "The host of a number's hook",
          answer: Type.Object({ host: Type.Union([Type.String(), Type.Null()]) }),
          handle: ({ params }) => ({ host: table.get(params.number ?? "") ?? null }),
        }),
      ],
      close: () => cancel(),
    };
  },
});

/** Changes when the file is written, or another one is put in its place (`mv`, a mounted ConfigMap). */
async function versionOf(file: string): Promise<string> {
  const { ino, mtimeMs, size } = await stat(file);
  return `${ino} ${mtimeMs} ${size}`;
}
