import type { TransactionSQL } from "bun";
import type { OwnerTask } from "../../../src/contracts/storage";
import { roomSid } from "../../../src/domain/ids";
import type { Database } from "./database";

export type NewOwnerTask = { readonly call: number; readonly task: OwnerTask };

/** Adds those that there have not been; returns them by their keys. */
export async function addOwnerTasks(
  tx: TransactionSQL,
  tasks: readonly NewOwnerTask[],
): Promise<Map<string, NewOwnerTask>> {
  const byKey = new Map(tasks.map((task) => [taskKey(task), task]));
  if (byKey.size === 0) return byKey;
  const rows = [...byKey.values()].map(({ call, task }) => ({ call, auth_id: task.authId }));
  const added = (await tx.unsafe(
    `insert into owner_tasks (call, auth_id) select call, auth_id from json_to_recordset($1::text::json) as x (call bigint, auth_id text)
     on conflict do nothing returning call, auth_id`,
    [JSON.stringify(rows)],
  )) as { call: string; auth_id: string }[];
  const keys = new Set(added.map((row) => `${row.call} ${row.auth_id}`));
  return new Map([...byKey].filter(([key]) => keys.has(key)));
}

export function taskKey({ call, task }: NewOwnerTask): string {
  return `${call} ${task.authId}`;
}

/** Not for a room that has finished. */
export async function openOwnerTasks(database: Database): Promise<OwnerTask[]> {
  const rows = await database.rows<{ room_sid: string; room_name: string; auth_id: string }>(
    `select c.room_sid, c.room_name, t.auth_id from owner_tasks t join calls c on c.id = t.call
     where t.done = 0 and c.finished_at is null order by t.call`,
  );
  return rows.map((row) => ({ roomSid: roomSid(row.room_sid), roomName: row.room_name, authId: row.auth_id }));
}

export async function closeOwnerTask(database: Database, task: Pick<OwnerTask, "roomSid" | "authId">): Promise<void> {
  await database.rows(
    "update owner_tasks set done = 1 where auth_id = $1 and call = (select id from calls where room_sid = $2)",
    [task.authId, task.roomSid],
  );
}
