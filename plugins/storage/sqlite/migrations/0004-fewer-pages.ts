/**
 * A commit costs what the pages that it changes cost: 12 us each, of which one event made 18. What listing needs is found
 * without an index of its own where that is possible:
 *
 * - `deliveries.waiting`: 1 behind the head of its lane, and for what is cancelled but not yet marked; only then is it in an
 *   index. A hook that works has none.
 * - Deliveries have ids in the order of their times, so that a list by time goes by the ids, one of a tenant by its hooks.
 * - `delivery_ids.used`: an id that was used, as great as any that retention has removed: none is given twice.
 * - Events are known by their call and their id: those of the calls under way are near each other in that index, where ids
 *   alone are all over it.
 * - `lanes.wait`: how long the head was to wait when it failed, in ms; due times alone do not say it when the clock was set.
 */
export const fewerPages = `
drop index calls_by_name;

create table delivery_ids (
  id integer primary key check (id = 1),
  used integer not null
) strict;
insert into delivery_ids (id, used) select 1, coalesce(max(id), 0) from deliveries;

alter table lanes add column wait integer;

create table events_by_call (
  seq integer primary key,
  id text not null,
  call integer references calls (id),
  room_name text not null,
  name text not null,
  subject text not null,
  created_at integer,
  received_at integer not null,
  kept_at integer,
  state integer not null,
  content_type text not null,
  body blob not null
) strict;
insert into events_by_call
  select seq, id, call, room_name, name, subject, created_at, received_at, kept_at, state, content_type, body from events;
drop table events;
alter table events_by_call rename to events;
create unique index events_known on events (call, id);
create unique index events_known_without_call on events (id) where call is null;
create index events_of_call on events (call, seq);
create index events_held on events (received_at) where state = 1;
create index events_unrouted on events (call, seq) where state <> 0;
create index events_unmatched on events (received_at) where state = 2;

create table deliveries_with_waiting (
  id integer primary key,
  lane integer not null,
  event integer not null references events (seq),
  state integer not null,
  waiting integer not null default 0,
  attempts integer not null default 0,
  failures integer not null default 0,
  refusals integer not null default 0,
  replay integer not null default 0,
  made_at integer not null,
  settled_at integer,
  hook text not null,
  tenant text,
  reason text
) strict;
insert into deliveries_with_waiting
    (id, lane, event, state, waiting, attempts, failures, refusals, replay, made_at, settled_at, hook, tenant, reason)
  select d.id, d.lane, d.event, d.state, d.state = 0 and l.head is not d.id, d.attempts, d.failures, d.refusals, d.replay,
    max(d.made_at) over (order by d.id), d.settled_at, d.hook, d.tenant, d.reason
  from deliveries d left join lanes l on l.id = d.lane order by d.id;
drop table deliveries;
alter table deliveries_with_waiting rename to deliveries;
create index deliveries_of_event on deliveries (event);
create index deliveries_by_hook on deliveries (hook, made_at);
create index deliveries_waiting on deliveries (lane, id) where waiting = 1;
create index deliveries_ended_by_time on deliveries (made_at) where state > 1;
create index deliveries_ended_by_hook on deliveries (hook, made_at) where state > 1;
create index deliveries_ended_by_tenant on deliveries (tenant, made_at) where state > 1 and tenant is not null;
`;
