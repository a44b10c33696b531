/**
 * What the history needs, and lanes without order:
 *
 * - `lanes.part`: 0 for the deliveries of a call in order; without order a lane has one delivery, and `part` is its event.
 * - `participants`: who a participant is, which host it called and which matcher decided.
 * - `known_hooks`: host and tenant of every hook that there ever was.
 * - `events.kept_at`: when the commit began whose end is the acknowledgement.
 * - `deliveries.failures`: attempts that count; `replay`: the delivery was asked for again; `hook` as in its lane and `tenant`,
 *   the hook's auth_id, so that each of them has its deliveries in an index, newest first by `made_at`. The `_ended` ones
 *   hold what did not arrive, and are written to by failures only.
 * - `call_hooks.at`: when the hook came into the call.
 * - `lanes.cancel_reason`: why `cancel_to` was set.
 */
export const history = `
create table lanes_with_parts (
  id integer primary key,
  hook text not null,
  call integer not null references calls (id),
  part integer not null default 0,
  head integer,
  due integer,
  cancel_to integer,
  unique (hook, call, part)
) strict;
insert into lanes_with_parts (id, hook, call, head, due, cancel_to) select id, hook, call, head, due, cancel_to from lanes;
drop table lanes;
alter table lanes_with_parts rename to lanes;
create index lanes_due on lanes (hook, due) where due is not null;
create index lanes_cancelled on lanes (id) where cancel_to is not null;
create index lanes_of_call on lanes (call);

alter table deliveries add column failures integer not null default 0;
alter table deliveries add column replay integer not null default 0;
update deliveries set failures = attempts;
create index deliveries_of_event on deliveries (event);

alter table participants add column sip integer not null default 0;
alter table participants add column identity text;
alter table participants add column host text;
alter table participants add column matcher text;
alter table participants add column call_id text;
alter table participants add column sip_call_id text;
alter table participants add column caller text;
alter table participants add column callee text;
update participants set sip = 1 where hook is not null;
create index participants_by_sip_call_id on participants (sip_call_id) where sip_call_id is not null;
create index participants_by_caller on participants (caller) where caller is not null;
create index participants_by_callee on participants (callee) where callee is not null;

alter table events add column kept_at integer;
update events set kept_at = received_at;

alter table hooks add column previous_secret text;
alter table hooks add column credentials text;
alter table hooks add column policy text;

create table known_hooks (
  hook text primary key,
  host text not null,
  auth_id text
) strict, without rowid;
create index known_hooks_by_tenant on known_hooks (auth_id);
create index known_hooks_by_host on known_hooks (host);

alter table lanes add column cancel_reason text;

alter table deliveries add column hook text not null default '';
alter table deliveries add column tenant text;
alter table deliveries add column made_at integer not null default 0;
update deliveries set hook = (select hook from lanes where id = lane),
  made_at = (select received_at from events where seq = event);
create index deliveries_by_time on deliveries (made_at);
create index deliveries_by_hook on deliveries (hook, made_at);
create index deliveries_by_tenant on deliveries (tenant, made_at) where tenant is not null;
create index deliveries_ended_by_time on deliveries (made_at) where state > 1;
create index deliveries_ended_by_hook on deliveries (hook, made_at) where state > 1;
create index deliveries_ended_by_tenant on deliveries (tenant, made_at) where state > 1 and tenant is not null;

alter table call_hooks add column tenant text;
alter table call_hooks add column at integer not null default 0;
update call_hooks set at = (select first_at from calls where id = call);
create index call_hooks_by_hook on call_hooks (hook, at, call);
create index call_hooks_by_tenant on call_hooks (tenant, at, call) where tenant is not null;
create index calls_by_time on calls (first_at);
create index calls_active on calls (first_at) where finished_at is null;
create index calls_of_name on calls (room_name, first_at);
create index participants_unmatched on participants (host) where hook is null and host is not null;
`;
