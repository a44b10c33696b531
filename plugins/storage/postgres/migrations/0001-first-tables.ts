/**
 * SQLite's tables and columns (`plugins/storage/sqlite/migrations`, where they are explained), in the schema `sayna_sip`,
 * which is every connection's `search_path`. What differs:
 *
 * - `lanes.job` is the pg-boss job of the lane's head; null exactly when `head` is. pg-boss holds no other jobs of a lane.
 *   `lanes.due` is the head's time by the callers' clock, and there also while somebody has it.
 * - Sequences are not in the order of the commits between calls; within a call they are, because a transaction that adds to a
 *   call holds the call's lock until its end.
 * - Texts that come from outside are written through `storableText`: Postgres takes no U+0000, and no index entry above
 *   2,704 bytes. Look for them through the same function.
 * - Texts are in the collation `C`: they are compared as bytes, as in SQLite, and no newer C library of the server's can put an
 *   index out of order.
 * - An index ends with the key that SQLite has at the end of each by itself, so that a page is read in its order.
 * - Flags (`sip`, `replay`, `done`) are 0 and 1, as in SQLite.
 */
export const firstTables = `
create table calls (
  id bigint generated always as identity primary key,
  room_sid text collate "C" not null unique,
  room_name text collate "C" not null,
  first_at bigint not null,
  last_at bigint not null,
  finished_at bigint
) with (fillfactor = 80);
create index calls_by_name on calls (room_name, last_at);
create index calls_by_time on calls (first_at, id);
create index calls_active on calls (first_at, id) where finished_at is null;
create index calls_of_name on calls (room_name, first_at, id);

create table participants (
  call bigint not null references calls (id) on delete cascade,
  sid text collate "C" not null,
  hook text collate "C",
  sip smallint not null default 0,
  identity text collate "C",
  host text collate "C",
  matcher text collate "C",
  call_id text collate "C",
  sip_call_id text collate "C",
  caller text collate "C",
  callee text collate "C",
  primary key (call, sid)
);
create index participants_by_sip_call_id on participants (sip_call_id, call) where sip_call_id is not null;
create index participants_by_caller on participants (caller, call) where caller is not null;
create index participants_by_callee on participants (callee, call) where callee is not null;
create index participants_unmatched on participants (host, call) where hook is null and host is not null;

create table call_hooks (
  call bigint not null references calls (id) on delete cascade,
  position integer not null,
  hook text collate "C" not null,
  tenant text collate "C",
  at bigint not null,
  primary key (call, position)
);
create index call_hooks_by_hook on call_hooks (hook, at, call);
create index call_hooks_by_tenant on call_hooks (tenant, at, call) where tenant is not null;

create table owner_tasks (
  call bigint not null references calls (id) on delete cascade,
  auth_id text collate "C" not null,
  done smallint not null default 0,
  primary key (call, auth_id)
);
create index owner_tasks_open on owner_tasks (call) where done = 0;

create table events (
  seq bigint generated always as identity primary key,
  id text collate "C" not null unique,
  call bigint references calls (id),
  room_name text collate "C" not null,
  name text collate "C" not null,
  subject text collate "C" not null,
  created_at bigint,
  received_at bigint not null,
  kept_at bigint not null,
  state smallint not null,
  content_type text collate "C" not null,
  body bytea not null
);
create index events_of_call on events (call, seq);
create index events_held on events (received_at, seq) where state = 1;
create index events_unrouted on events (call, seq) where state <> 0;
create index events_unmatched on events (received_at, seq) where state = 2;

create table lanes (
  id bigint generated always as identity primary key,
  hook text collate "C" not null,
  call bigint not null references calls (id),
  part bigint not null default 0,
  head bigint,
  due bigint,
  wait bigint,
  job uuid,
  cancel_to bigint,
  cancel_reason text collate "C",
  unique (hook, call, part)
) with (fillfactor = 80);
create index lanes_due on lanes (hook, due) where due is not null;
create index lanes_cancelled on lanes (id) where cancel_to is not null;
create index lanes_of_call on lanes (call);
create index lanes_by_job on lanes (job) where job is not null;

create table deliveries (
  id bigint generated always as identity primary key,
  lane bigint not null references lanes (id),
  event bigint not null references events (seq),
  state smallint not null,
  attempts integer not null default 0,
  failures integer not null default 0,
  refusals integer not null default 0,
  replay smallint not null default 0,
  hook text collate "C" not null,
  tenant text collate "C",
  made_at bigint not null,
  settled_at bigint,
  reason text collate "C"
) with (fillfactor = 80);
create index deliveries_of_lane on deliveries (lane, state, id);
create index deliveries_of_event on deliveries (event);
create index deliveries_by_time on deliveries (made_at, id);
create index deliveries_by_hook on deliveries (hook, made_at, id);
create index deliveries_by_tenant on deliveries (tenant, made_at, id) where tenant is not null;
create index deliveries_ended_by_time on deliveries (made_at, id) where state > 1;
create index deliveries_ended_by_hook on deliveries (hook, made_at, id) where state > 1;
create index deliveries_ended_by_tenant on deliveries (tenant, made_at, id) where state > 1 and tenant is not null;

create table attempts (
  delivery bigint not null references deliveries (id) on delete cascade,
  n integer not null,
  started_at bigint not null,
  duration_ms bigint not null,
  status integer,
  error text collate "C",
  answer_start bytea,
  primary key (delivery, n)
);

create table hooks (
  position bigint generated always as identity primary key,
  host text collate "C" not null unique,
  url text collate "C" not null,
  auth_id text collate "C",
  secret_ref text collate "C",
  previous_secret text collate "C",
  credentials text collate "C",
  policy text collate "C",
  operator_policy text collate "C"
);

create table hook_changes (
  version bigint primary key,
  who text collate "C" not null,
  at bigint not null,
  added integer not null,
  replaced integer not null,
  removed integer not null,
  hosts text collate "C" not null
);

create table hook_change_hosts (
  version bigint not null references hook_changes (version),
  host text collate "C" not null,
  before text collate "C",
  after text collate "C",
  primary key (version, host)
);

create table known_hooks (
  hook text collate "C" primary key,
  host text collate "C" not null,
  auth_id text collate "C"
);
create index known_hooks_by_tenant on known_hooks (auth_id);
create index known_hooks_by_host on known_hooks (host);

create table paused_hooks (
  hook text collate "C" primary key,
  reason text collate "C" not null,
  since bigint not null
);

create table removed_events (
  id text collate "C" primary key,
  forget_at bigint not null
);
create index removed_events_to_forget on removed_events (forget_at);

create table probe (
  id smallint primary key check (id = 1),
  at bigint not null
);
`;
