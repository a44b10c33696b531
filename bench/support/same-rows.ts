/**
 * A reference of our own, between `limit` and the service: limit's HTTP and checks, and its commit in groups, but the rows that the service writes,
 * in the service's tables with their indexes. It knows one hook, routes nothing, and delivers nothing. What it needs more than limit is what the
 * promises need of SQLite; what the service needs more than it is the service.
 */
import { Database } from "bun:sqlite";
import { join } from "node:path";
import { migrate } from "../../plugins/storage/sqlite/migrations";
import { prepare } from "../../plugins/storage/sqlite/prepare";
import { bad, ok, port, verify } from "../yardsticks/verify";

type Participant = { readonly sid: string; readonly identity: string; readonly attributes?: Record<string, string> };
type Event = {
  readonly id: string;
  readonly event: string;
  readonly createdAt: string;
  readonly room: { readonly sid: string; readonly name: string };
  readonly participant?: Participant;
};
type Incoming = { readonly event: Event; readonly body: Uint8Array };
/** A call under way: its row, its lane once its hook is known, and the events from before that. */
type Call = {
  readonly row: number;
  lane: number | undefined;
  readonly held: number[];
  readonly participants: Set<string>;
};

const HOOK = "config:tenant-0.example.com";
const db = new Database(join(process.env["DATA_DIR"] ?? ".", "same-rows.db"), { create: true });
for (const pragma of ["auto_vacuum = incremental", "journal_mode = wal", "synchronous = full", "cache_size = -16384"]) {
  db.run(`pragma ${pragma}`);
}
migrate(db, 0);

type Value = string | number | null | Uint8Array;
const statement = (sql: string) => prepare<unknown, Value[]>(db, sql);
const addCall = statement("insert into calls (room_sid, room_name, first_at, last_at) values (?1, ?2, ?3, ?3)");
const finishCall = statement("update calls set last_at = ?1, finished_at = ?1 where id = ?2");
const addParticipant = statement(
  "insert into participants (call, sid, hook, sip, identity, host, sip_call_id, caller, callee) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
);
const addHook = statement("insert into call_hooks (call, position, hook, at) values (?, 0, ?, ?)");
const addLane = statement("insert into lanes (hook, call) values (?, ?)");
const addEvent = statement(
  "insert into events (id, call, room_name, name, subject, created_at, received_at, kept_at, state, content_type, body) " +
    "values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, 'application/webhook+json', ?9) on conflict do nothing",
);
const markRouted = statement("update events set state = 0 where seq = ?");
const setHead = statement("update lanes set head = ?, due = ? where id = ? and head is null");
const addDelivery = statement(
  "insert into deliveries (id, lane, event, state, made_at, waiting, hook) values (?, ?, ?, 0, ?, ?, ?)",
);

const calls = new Map<string, Call>();
let deliveries = 0;

function callOf({ room }: Event, now: number): Call {
  const known = calls.get(room.sid);
  if (known !== undefined) return known;
  const row = Number(addCall.run(room.sid, room.name, now).lastInsertRowid);
  const call = { row, lane: undefined, held: [], participants: new Set<string>() };
  calls.set(room.sid, call);
  return call;
}

function noteParticipant(call: Call, { sid, identity, attributes = {} }: Participant, host: string | undefined): void {
  if (call.participants.has(sid)) return;
  call.participants.add(sid);
  const sip = [attributes["sip.callIDFull"], attributes["sip.phoneNumber"], attributes["sip.trunkPhoneNumber"]];
  const hook = host === undefined ? null : HOOK;
  addParticipant.run(
    call.row,
    sid,
    hook,
    host === undefined ? 0 : 1,
    identity,
    host ?? null,
    ...sip.map((v) => v ?? null),
  );
}

function deliver(lane: number, seq: number, now: number): void {
  const id = ++deliveries;
  const isHead = setHead.run(id, now, lane).changes > 0;
  addDelivery.run(id, lane, seq, now, isHead ? 0 : 1, HOOK);
}

function keep({ event, body }: Incoming, now: number): void {
  const { participant } = event;
  const call = callOf(event, now);
  const host = participant?.attributes?.["sip.h.to"];
  const isHeld = call.lane === undefined && host === undefined;
  const subject = participant?.sid ?? "room";
  const created = Number(event.createdAt) * 1000;
  const state = isHeld ? 1 : 0;
  const row = addEvent.run(event.id, call.row, event.room.name, event.event, subject, created, now, state, body);
  if (row.changes === 0) return;
  const seq = Number(row.lastInsertRowid);
  if (participant !== undefined) noteParticipant(call, participant, host);
  if (isHeld) {
    call.held.push(seq);
    return;
  }
  if (call.lane === undefined) {
    addHook.run(call.row, HOOK, now);
    call.lane = Number(addLane.run(HOOK, call.row).lastInsertRowid);
    for (const held of call.held) {
      markRouted.run(held);
      deliver(call.lane, held, now);
    }
  }
  deliver(call.lane, seq, now);
  if (event.event !== "room_finished") return;
  finishCall.run(now, call.row);
  calls.delete(event.room.sid);
}

const commit = db.transaction((group: readonly Incoming[]) => {
  const now = Date.now();
  for (const incoming of group) keep(incoming, now);
});

let waiting: (Incoming & { readonly answer: (response: Response) => void })[] = [];

function flush(): void {
  const group = waiting;
  waiting = [];
  commit(group);
  for (const { answer } of group) answer(ok());
}

Bun.serve({
  port,
  hostname: "127.0.0.1",
  async fetch(request) {
    const body = new Uint8Array(await request.arrayBuffer());
    if (!verify(request.headers.get("authorization"), body)) return bad();
    const event: Event = JSON.parse(Buffer.from(body.buffer).toString());
    return new Promise<Response>((answer) => {
      if (waiting.push({ event, body, answer }) === 1) setImmediate(flush);
    });
  },
});
