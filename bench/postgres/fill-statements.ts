export type FillOptions = {
  readonly calls: number;
  /** When the first one begins, ms since the epoch, and how long after it the next. */
  readonly from: number;
  readonly everyMs: number;
};

/** Statements that fill the tables with delivered calls of 100 tenants, five events each, with bodies of 992 bytes. */
export function fillStatements({ calls, from, everyMs }: FillOptions): string {
  return `
insert into calls (room_sid, room_name, first_at, last_at, finished_at)
  select 'RM_' || i, 'sip-' || md5(i::text), at, at + 60000, at + 60000
  from generate_series(1, ${calls}) i, lateral (select (${from} + i * ${everyMs})::bigint as at) t;
insert into participants (call, sid, hook, sip, identity, host, matcher, call_id, sip_call_id, caller, callee)
  select id, 'PA_' || md5(id::text), 'hook-' || id % 100, 1, 'sip_+4930' || id, 'tenant-' || id % 100 || '.example.com', 'exact-host',
    'SCL_' || md5(id::text), md5(id::text) || '@198.51.100.7', '+4930' || id % 1000, '+4989' || id % 50 from calls;
insert into call_hooks (call, position, hook, tenant, at) select id, 0, 'hook-' || id % 100, 'tenant-' || id % 100, first_at from calls;
insert into known_hooks (hook, host, auth_id)
  select 'hook-' || i, 'tenant-' || i || '.example.com', 'tenant-' || i from generate_series(0, 99) i;
insert into events (id, call, room_name, name, subject, created_at, received_at, kept_at, state, content_type, body)
  select 'EV_' || substr(md5(id || '-' || k), 1, 12), id, room_name,
    (array['room_started', 'participant_joined', 'track_published', 'participant_left', 'room_finished'])[k],
    case when k in (1, 5) then 'room' else 'PA_' || md5(id::text) end, first_at / 1000, first_at + k, first_at + k, 0,
    'application/webhook+json', convert_to(repeat(md5(id || 'x' || k), 31), 'UTF8')
  from calls, generate_series(1, 5) k order by id, k;
insert into lanes (hook, call) select 'hook-' || id % 100, id from calls order by id;
insert into deliveries (lane, event, state, attempts, hook, tenant, made_at, settled_at)
  select l.id, e.seq, case when e.seq % 200 = 0 then 2 else 1 end, 1, l.hook, 'tenant-' || l.call % 100, e.received_at,
    e.received_at + 30 from lanes l join events e on e.call = l.call order by e.seq;
insert into attempts (delivery, n, started_at, duration_ms, status, answer_start)
  select id, 1, made_at + 2, 12, 200, convert_to('ok', 'UTF8') from deliveries`;
}
