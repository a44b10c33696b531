/**
 * - `deliveries.state`: see `DELIVERY_STATES`. The partial index holds pending ones only, so that finding a lane's next
 *   head costs the same whatever has been delivered before.
 * - `lanes.head` is the lane's first pending delivery and `due` when it may go; both are null when there is none. With
 *   the heads materialised a claim is one indexed query per hook, with an empty queue and with a million waiting.
 * - `lanes.cancel_to`: deliveries up to this id are cancelled already, but not yet marked.
 * - `events.state`: see `EVENT_STATES`. `subject` is the participant's sid, `room` or `unreadable` (see `EarlierEvent`).
 */
export const firstTables = `
create table calls (
  id integer primary key,
  room_sid text not null unique,
  room_name text not null,
  first_at integer not null,
  last_at integer not null,
  finished_at integer
) strict;
create index calls_by_name on calls (room_name, last_at);

create table participants (
  call integer not null references calls (id) on delete cascade,
  sid text not null,
  hook text,
  primary key (call, sid)
) strict, without rowid;

create table call_hooks (
  call integer not null references calls (id) on delete cascade,
  position integer not null,
  hook text not null,
  primary key (call, position)
) strict, without rowid;

create table owner_tasks (
  call integer not null references calls (id) on delete cascade,
  auth_id text not null,
  done integer not null default 0,
  primary key (call, auth_id)
) strict, without rowid;
create index owner_tasks_open on owner_tasks (call) where done = 0;

create table events (
  seq integer primary key,
  id text not null unique,
  call integer references calls (id),
  room_name text not null,
  name text not null,
  subject text not null,
  created_at integer,
  received_at integer not null,
  state integer not null,
  content_type text not null,
  body blob not null
) strict;
create index events_of_call on events (call, seq);
create index events_held on events (received_at) where state = 1;
create index events_unrouted on events (call, seq) where state <> 0;

create table lanes (
  id integer primary key,
  hook text not null,
  call integer not null references calls (id),
  head integer,
  due integer,
  cancel_to integer,
  unique (hook, call)
) strict;
create index lanes_due on lanes (hook, due) where due is not null;
create index lanes_cancelled on lanes (id) where cancel_to is not null;

create table deliveries (
  id integer primary key autoincrement,
  lane integer not null references lanes (id),
  event integer not null references events (seq),
  state integer not null,
  attempts integer not null default 0,
  refusals integer not null default 0,
  settled_at integer,
  reason text
) strict;
create index deliveries_pending on deliveries (lane, id) where state = 0;

create table attempts (
  delivery integer not null references deliveries (id) on delete cascade,
  n integer not null,
  started_at integer not null,
  duration_ms integer not null,
  status integer,
  error text,
  answer_start blob,
  primary key (delivery, n)
) strict, without rowid;

create table hooks (
  position integer primary key autoincrement,
  host text not null unique,
  url text not null,
  auth_id text,
  secret_ref text
) strict;

create table hook_changes (
  version integer primary key autoincrement,
  who text not null,
  at integer not null,
  hosts text not null
) strict;

create table paused_hooks (
  hook text primary key,
  reason text not null,
  since integer not null
) strict, without rowid;

create table probe (
  id integer primary key check (id = 1),
  at integer not null
) strict;
`;
