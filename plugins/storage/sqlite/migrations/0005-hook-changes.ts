/**
 * What a forwarding table of many hooks needs:
 *
 * - `hook_change_parts`: what a change did, some hosts in each part, as JSON. Parts of a version that is not in `hook_changes`
 *   are those of a change that was never made.
 * - `hook_changes`: `parts`, how many it has; `applied`, how many of them are in `hooks` by now; `hosts`, the first ones.
 * - `hooks.operator_policy`: what an operator set of the hook's delivery policy; `policy`: what its tenant asks for.
 */
export const hookChanges = `
create table hook_change_parts (
  version integer not null,
  part integer not null,
  hosts text not null,
  primary key (version, part)
) strict;
insert into hook_change_parts (version, part, hosts) select version, 0, hosts from hook_changes;

alter table hook_changes add column parts integer not null default 1;
alter table hook_changes add column applied integer not null default 1;
alter table hook_changes add column added integer not null default 0;
alter table hook_changes add column replaced integer not null default 0;
alter table hook_changes add column removed integer not null default 0;
update hook_changes set
  added = (select count(*) from json_each(hosts) where value ->> '$.before' is null),
  removed = (select count(*) from json_each(hosts) where value ->> '$.after' is null);
update hook_changes set replaced = json_array_length(hosts) - added - removed;
update hook_changes set hosts = (
  select json_group_array(host) from (
    select value ->> '$.host' as host from json_each(hook_changes.hosts) order by key limit 20
  )
);

alter table hooks add column operator_policy text;
`;
