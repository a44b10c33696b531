import type { Database } from "bun:sqlite";

/** `name`: a text that others have chosen, which Postgres has as `storableText` makes it. Everything may be null. */
export type ColumnKind = "integer" | "name" | "text" | "bytes";
export type Value = string | number | Uint8Array | null;
/** In the order of the table's columns. */
export type Row = readonly Value[];
export type Key = readonly (string | number)[];
/** Some rows, in the order of the key, and where to go on. */
export type Page = { readonly rows: readonly Row[]; readonly after: Key };

export type CopiedTable = {
  /** In Postgres. */
  readonly name: string;
  readonly columns: Readonly<Record<string, ColumnKind>>;
  /** Of the table in Postgres. */
  readonly key: readonly string[];
  /** The column whose next value Postgres makes, with SQLite's statement for the last one that was used. */
  readonly identity?: { readonly column: string; readonly used: string };
  /** How many rows there are to be read; for the progress. */
  readonly count: string;
  /** @param after where the page before this one ended. Undefined at the end. */
  readonly page: (db: Database, after: Key | undefined) => Page | undefined;
};

/** Written in one transaction: of either one, whichever is reached first. */
const ROWS_OF_PAGE = 1_000;
const BYTES_OF_PAGE = 4 * 1024 * 1024;

type PlainTable = Pick<CopiedTable, "name" | "columns" | "key" | "identity"> & {
  /** SQLite's expression for a column, where it is not its name. */
  readonly from?: Readonly<Record<string, string>>;
};

/** A table whose rows are the same in both. */
function plain({ from = {}, ...table }: PlainTable): CopiedTable {
  const { name, columns, key } = table;
  const names = Object.keys(columns);
  const selected = names.map((column) => `${from[column] ?? column} as ${column}`).join(", ");
  const keys = key.join(", ");
  const holes = key.map(() => "?").join(", ");
  return {
    ...table,
    count: `select count(*) as n from ${name}`,
    page: (db, after) => {
      const where = after === undefined ? "" : `where (${keys}) > (${holes})`;
      const statement = db.query<Record<string, Value>, (string | number)[]>(
        `select ${selected} from ${name} ${where} order by ${keys} limit ${ROWS_OF_PAGE}`,
      );
      const rows: Row[] = [];
      let last: Record<string, Value> | undefined;
      let bytes = 0;
      for (const row of statement.iterate(...(after ?? []))) {
        last = row;
        const values = names.map((column) => row[column] ?? null);
        rows.push(values);
        bytes += values.reduce<number>((sum, value) => sum + sizeOf(value), 0);
        if (bytes >= BYTES_OF_PAGE) break;
      }
      if (last === undefined) return undefined;
      const end = last;
      return { rows, after: key.map((column) => toKey(end[column])) };
    },
  };
}

/** SQLite has the hosts of a change in parts, Postgres one by one; a page is a change. */
const hookChangeHosts: CopiedTable = {
  name: "hook_change_hosts",
  columns: { version: "integer", host: "text", before: "text", after: "text" },
  key: ["version", "host"],
  count: "select coalesce(sum(added + replaced + removed), 0) as n from hook_changes",
  page: (db, after) => {
    const [from = 0] = after ?? [];
    // Parts of a version that is not in `hook_changes` are those of a change that was never made.
    const next = db
      .query<{ version: number }, [number]>("select version from hook_changes where version > ? order by version")
      .get(Number(from));
    if (next === null) return undefined;
    const { version } = next;
    const hosts = new Map<string, Row>();
    const parts = db.query<{ hosts: string }, [number]>(
      "select hosts from hook_change_parts where version = ? order by part",
    );
    for (const part of parts.iterate(version)) {
      // Written by this program, so it is what it wrote.
      for (const { host, before, after: to } of JSON.parse(part.hosts) as Difference[]) {
        // Of a host that was named twice the first state before and the last one after count.
        const earlier = hosts.get(host)?.[2];
        hosts.set(host, [version, host, earlier === undefined ? toJson(before) : earlier, toJson(to)]);
      }
    }
    return { rows: [...hosts.values()], after: [version] };
  },
};

type Difference = { readonly host: string; readonly before?: object; readonly after?: object };

/** What is copied, in an order in which whatever a row refers to is there before it. */
export const COPIED_TABLES: readonly CopiedTable[] = [
  plain({
    name: "calls",
    columns: {
      id: "integer",
      room_sid: "name",
      room_name: "name",
      first_at: "integer",
      last_at: "integer",
      finished_at: "integer",
    },
    key: ["id"],
    identity: { column: "id", used: "select max(id) as n from calls" },
  }),
  plain({
    name: "participants",
    columns: {
      call: "integer",
      sid: "name",
      hook: "text",
      sip: "integer",
      identity: "name",
      host: "name",
      matcher: "name",
      call_id: "name",
      sip_call_id: "name",
      caller: "name",
      callee: "name",
    },
    key: ["call", "sid"],
  }),
  plain({
    name: "call_hooks",
    columns: { call: "integer", position: "integer", hook: "text", tenant: "text", at: "integer" },
    key: ["call", "position"],
  }),
  plain({
    name: "owner_tasks",
    columns: { call: "integer", auth_id: "text", done: "integer" },
    key: ["call", "auth_id"],
  }),
  plain({
    name: "events",
    columns: {
      seq: "integer",
      id: "text",
      call: "integer",
      room_name: "name",
      name: "name",
      subject: "name",
      created_at: "integer",
      received_at: "integer",
      kept_at: "integer",
      state: "integer",
      content_type: "name",
      body: "bytes",
    },
    from: { kept_at: "coalesce(kept_at, received_at)" },
    key: ["seq"],
    identity: { column: "seq", used: "select max(seq) as n from events" },
  }),
  plain({
    name: "lanes",
    columns: {
      id: "integer",
      hook: "text",
      call: "integer",
      part: "integer",
      head: "integer",
      due: "integer",
      wait: "integer",
      cancel_to: "integer",
      cancel_reason: "text",
    },
    key: ["id"],
    identity: { column: "id", used: "select max(id) as n from lanes" },
  }),
  plain({
    name: "deliveries",
    columns: {
      id: "integer",
      lane: "integer",
      event: "integer",
      state: "integer",
      attempts: "integer",
      failures: "integer",
      refusals: "integer",
      replay: "integer",
      hook: "text",
      tenant: "text",
      made_at: "integer",
      settled_at: "integer",
      reason: "text",
    },
    key: ["id"],
    identity: {
      column: "id",
      // Also of what retention has removed: none is given twice.
      used: "select max(coalesce((select max(id) from deliveries), 0), (select used from delivery_ids)) as n",
    },
  }),
  plain({
    name: "attempts",
    columns: {
      delivery: "integer",
      n: "integer",
      started_at: "integer",
      duration_ms: "integer",
      status: "integer",
      error: "text",
      answer_start: "bytes",
    },
    key: ["delivery", "n"],
  }),
  plain({
    name: "hooks",
    columns: {
      position: "integer",
      host: "text",
      url: "text",
      auth_id: "text",
      secret_ref: "text",
      previous_secret: "text",
      credentials: "text",
      policy: "text",
      operator_policy: "text",
    },
    key: ["position"],
    identity: { column: "position", used: "select seq as n from sqlite_sequence where name = 'hooks'" },
  }),
  plain({
    name: "hook_changes",
    columns: {
      version: "integer",
      who: "name",
      at: "integer",
      added: "integer",
      replaced: "integer",
      removed: "integer",
      hosts: "text",
    },
    key: ["version"],
  }),
  hookChangeHosts,
  plain({ name: "known_hooks", columns: { hook: "text", host: "text", auth_id: "text" }, key: ["hook"] }),
  plain({ name: "paused_hooks", columns: { hook: "text", reason: "name", since: "integer" }, key: ["hook"] }),
  plain({ name: "removed_events", columns: { id: "text", forget_at: "integer" }, key: ["id"] }),
];

const toJson = (hook: object | undefined): string | null => (hook === undefined ? null : JSON.stringify(hook));

function sizeOf(value: Value): number {
  return typeof value === "number" || value === null ? 8 : value.length;
}

function toKey(value: Value | undefined): string | number {
  if (typeof value === "string" || typeof value === "number") return value;
  throw new TypeError("a key is a text or a number");
}
