/**
 * What retention needs:
 *
 * - `deliveries_of_lane` in the place of the index of pending ones: it finds a lane's next head as fast, and whether a lane
 *   has anything left, which the foreign key asks for each lane that is removed.
 * - `events_unmatched`: what is removed for the size, oldest first; of what did not arrive `deliveries_ended_by_time` says it.
 * - `removed_events`: ids of events that were removed while LiveKit could still repeat them.
 */
export const retention = `
drop index deliveries_pending;
create index deliveries_of_lane on deliveries (lane, state, id);
create index events_unmatched on events (received_at) where state = 2;

create table removed_events (
  id text primary key,
  forget_at integer not null
) strict, without rowid;
create index removed_events_to_forget on removed_events (forget_at);
`;
