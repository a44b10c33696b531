import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { CALL_SQL } from "../../../plugins/storage/sqlite/history/call-scan";
import { callSql, idSql, timeSql } from "../../../plugins/storage/sqlite/history/delivery-scan";
import { TIMELINE_SQL } from "../../../plugins/storage/sqlite/history/timeline";
import { UNMATCHED_SQL } from "../../../plugins/storage/sqlite/history/unmatched-list";
import { Cancellations } from "../../../plugins/storage/sqlite/cancellations";
import { DeliveryQueue } from "../../../plugins/storage/sqlite/delivery-queue";
import { EventLog } from "../../../plugins/storage/sqlite/event-log";
import { sqliteHistory } from "../../../plugins/storage/sqlite/history";
import { plannedOnce } from "../../../plugins/storage/sqlite/prepare";
import { migrate } from "../../../plugins/storage/sqlite/migrations";

let db: Database;

beforeAll(() => {
  db = new Database(":memory:");
  migrate(db, 0);
});

afterAll(() => db.close());

const orders = ["newest", "oldest"] as const;
const statements: [string, string, string][] = [
  ...orders.flatMap((order): [string, string, string][] => [
    [`deliveries, ${order}`, idSql(order), "INTEGER PRIMARY KEY"],
    [`deliveries of a hook, ${order}`, timeSql("hook", false, order), "deliveries_by_hook"],
    [`what did not arrive, ${order}`, timeSql("time", true, order), "deliveries_ended_by_time"],
    [`what did not arrive of a hook, ${order}`, timeSql("hook", true, order), "deliveries_ended_by_hook"],
    [`what did not arrive of a tenant, ${order}`, timeSql("tenant", true, order), "deliveries_ended_by_tenant"],
    [`deliveries of a call, ${order}`, callSql(order), "events_of_call"],
  ]),
  ["a timeline", TIMELINE_SQL, "events_of_call"],
  ["unmatched events", UNMATCHED_SQL.byTime, "events_unmatched"],
  ["unmatched events of a call", UNMATCHED_SQL.ofCall, "events_unrouted"],
  ["calls of an unmatched host", UNMATCHED_SQL.callsOfHost, "participants_unmatched"],
  ["calls with unmatched events", UNMATCHED_SQL.withoutHook(2), "events_unmatched"],
  ["calls with held events", UNMATCHED_SQL.withoutHook(1), "events_held"],
  ["calls", CALL_SQL.time, "calls_by_time"],
  ["active calls", CALL_SQL.active, "calls_active"],
  ["calls of a room", CALL_SQL.room, "calls_of_name"],
  ["calls of a hook", CALL_SQL.hook, "call_hooks_by_hook"],
  ["calls of a tenant", CALL_SQL.tenant, "call_hooks_by_tenant"],
  ["calls of a SIP Call-ID", CALL_SQL.sip_call_id, "participants_by_sip_call_id"],
  ["calls of a caller", CALL_SQL.caller, "participants_by_caller"],
  ["calls of a callee", CALL_SQL.callee, "participants_by_callee"],
];

test.each(statements)("%s: begins in its index, sorts nothing, scans no table", (_, sql, index) => {
  const plan = db.query<{ detail: string }, []>(`explain query plan ${plannedOnce(sql)}`).all();
  const details = plan.map(({ detail }) => detail);
  expect(details[0]).toContain(index);
  // `SCAN … USING COVERING INDEX` walks an index in its order, from where the page begins.
  expect(details.filter((detail) => /^SCAN (?!.* USING (COVERING )?INDEX)/.test(detail))).toEqual([]);
  // All that a tenant has, once for each row.
  expect(details.slice(1).filter((detail) => detail.endsWith("_by_tenant (tenant=?)"))).toEqual([]);
  expect(details.filter((detail) => detail.includes("USE TEMP B-TREE"))).toEqual([]);
});

test("no statement of the queue, the events or the history scans a table that grows", () => {
  const prepared: string[] = [];
  const query = db.query.bind(db);
  const recording = Object.assign(Object.create(db) as Database, {
    query: (sql: string) => {
      prepared.push(sql);
      return query(sql);
    },
    transaction: db.transaction.bind(db),
  });
  const queue = new DeliveryQueue(recording);
  const cancellations = new Cancellations({ db: recording, queue, write: (run) => run() });
  sqliteHistory({ db: recording, queue, cancellations, events: new EventLog(recording, queue), write: (run) => run() });
  expect(prepared.length).toBeGreaterThan(40);
  // A bare parameter: the statement would be planned again at each run.
  expect(prepared.filter((sql) => /[^+?\w][?$]/.test(sql))).toEqual([]);
  const scans = prepared.flatMap((sql) =>
    db
      .query<{ detail: string }, []>(`explain query plan ${sql}`)
      .all()
      .filter(({ detail }) => /^SCAN (?!.* USING (COVERING )?INDEX)(?!first_events$)/.test(detail))
      .map(({ detail }) => `${detail}: ${sql}`),
  );
  expect(scans).toEqual([]);
});
