import { SQL } from "bun";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { callScan } from "../../../../plugins/storage/postgres/history/call-scan";
import { scanByTime, scanCall, scanRoom } from "../../../../plugins/storage/postgres/history/delivery-scan";
import { pageStatement, type PageOptions, type Part } from "../../../../plugins/storage/postgres/history/read-page";
import { timelineScan } from "../../../../plugins/storage/postgres/history/timeline";
import { byHost, byTime } from "../../../../plugins/storage/postgres/history/unmatched-list";
import { unroutedScan } from "../../../../plugins/storage/postgres/history/unrouted-calls";
import { migrate, SCHEMA } from "../../../../plugins/storage/postgres/migrations";
import type { CallFilter, DeliveryFilter } from "../../../../src/contracts/history";
import { emptyDatabase } from "../../../support/postgres";

let sql: SQL;
let remove: () => Promise<void>;

beforeAll(async () => {
  const database = await emptyDatabase();
  ({ remove } = database);
  sql = new SQL({
    url: database.url,
    max: 1,
    // Costs so much that it is in a plan only where there is no other way.
    connection: { search_path: SCHEMA, enable_seqscan: "off", enable_sort: "off", enable_bitmapscan: "off" },
  });
  await migrate(sql);
});

afterAll(async () => {
  await sql.close();
  await remove();
});

type Scan = Omit<PageOptions<never>, "limit" | "position">;
const page = ({ scan, order }: Scan) => pageStatement(sql, { scan, order, limit: 20 });
const operator: DeliveryFilter & CallFilter = { viewer: "operator" };
const tenant: DeliveryFilter & CallFilter = { viewer: { authId: "tenant-a" }, eventName: "room_started" };
const dead: DeliveryFilter = { ...operator, states: ["dead", "expired"] };
const orders = ["newest", "oldest"] as const;

const statements: [string, () => Part, string][] = [
  ...orders.flatMap((order): [string, () => Part, string][] => [
    [
      `deliveries, ${order}`,
      () => page(scanByTime(sql, operator, undefined, undefined, order, undefined)),
      "deliveries_by_time",
    ],
    [
      `deliveries of a hook, ${order}`,
      () => page(scanByTime(sql, { ...operator, host: "a" }, undefined, ["h"], order, undefined)),
      "deliveries_by_hook",
    ],
    [
      `deliveries of a tenant, ${order}`,
      () => page(scanByTime(sql, tenant, "tenant-a", undefined, order, undefined)),
      "deliveries_by_tenant",
    ],
    [
      `what did not arrive, ${order}`,
      () => page(scanByTime(sql, dead, undefined, undefined, order, undefined)),
      "deliveries_ended_by_time",
    ],
    [
      `what did not arrive of a hook, ${order}`,
      () => page(scanByTime(sql, { ...dead, host: "a" }, undefined, ["h"], order, undefined)),
      "deliveries_ended_by_hook",
    ],
    [
      `what did not arrive of a tenant, ${order}`,
      () => page(scanByTime(sql, dead, "tenant-a", undefined, order, undefined)),
      "deliveries_ended_by_tenant",
    ],
    [
      `deliveries of a room, ${order}`,
      () => page(scanRoom(sql, operator, "tenant-a", "sip-1", order, undefined)),
      "calls_of_name",
    ],
    [
      `deliveries of a call, ${order}`,
      () => page(scanCall(sql, operator, "tenant-a", "1", order, undefined)),
      "events_of_call",
    ],
  ]),
  ["a timeline", () => page(timelineScan(sql, "1", "tenant-a", undefined)), "events_of_call"],
  ["unmatched events", () => byTime(sql, {}, undefined), "events_unmatched"],
  ["unmatched events of a host", () => byHost(sql, "a.example.com", undefined), "participants_unmatched"],
  ["calls with unmatched events", () => page(unroutedScan(sql, {}, 0, [0, 0])), "events_unmatched"],
  ["calls with held events", () => page(unroutedScan(sql, {}, 1, [0, 0])), "events_held"],
  ["calls", () => page(callScan(sql, operator, undefined, undefined)), "calls_by_time"],
  ["active calls", () => page(callScan(sql, { ...operator, state: "active" }, undefined, undefined)), "calls_active"],
  ["calls of a room", () => page(callScan(sql, { ...operator, room: "sip-1" }, undefined, undefined)), "calls_of_name"],
  ["calls of a hook", () => page(callScan(sql, { ...tenant, host: "a" }, ["h"], undefined)), "call_hooks_by_hook"],
  ["calls of a tenant", () => page(callScan(sql, tenant, undefined, undefined)), "call_hooks_by_tenant"],
  [
    "calls of a SIP Call-ID",
    () => page(callScan(sql, { ...tenant, sipCallId: "x" }, undefined, undefined)),
    "participants_by_sip_call_id",
  ],
  [
    "calls of a caller",
    () => page(callScan(sql, { ...tenant, caller: "+1" }, undefined, undefined)),
    "participants_by_caller",
  ],
  [
    "calls of a callee",
    () => page(callScan(sql, { ...tenant, callee: "+1" }, undefined, undefined)),
    "participants_by_callee",
  ],
];

test.each(statements)(
  "%s: begins in its index, scans no table, and sorts no more than what one call has",
  async (_, statement, index) => {
    const rows = await sql<{ "QUERY PLAN": string }[]>`explain ${statement()}`;
    const plan = rows.map((row) => row["QUERY PLAN"]);
    expect(plan.filter((line) => /Seq Scan|^\s*(->)?\s*Sort  |Hash|Materialize/.test(line))).toEqual([]);
    expect(plan.join("\n")).toContain(` ${index} `);
  },
);
