import { Elysia, t } from "elysia";
import type { History, UnmatchedEvent, UnmatchedReason } from "../../src/contracts/history";
import { normalizeHost } from "../../src/domain/host";
import { mayHaveHost, type Principal } from "../../src/domain/principal";
import type { AuthPlugin } from "../auth";
import { errorResponses } from "../http-errors";
import { Next, PageQuery, Query, SpanQuery } from "./query-schemas";
import { given, iso, isoSeconds, readHost, readPage, readSpan } from "./read-query";

const ListQuery = t.Object(
  { ...PageQuery, ...SpanQuery, room: Query.room, host: Query.host },
  { additionalProperties: false },
);

/** For people. */
const WHY = {
  no_call: "It names no room sid, and no call of its room's name was known.",
  no_caller: "No SIP participant with attributes was seen in its call.",
  no_host: "No called host could be read from the SIP headers of its call's participants.",
  no_hook: "No hook matches the called host.",
  unknown_participant: "Its call has a hook, but whose participant it is about was never told.",
} as const satisfies Record<UnmatchedReason, string>;

const UnmatchedList = t.Object(
  {
    unmatched: t.Array(
      t.Object({
        webhook_id: t.String({ description: "LiveKit's event id." }),
        event: t.String({ description: "LiveKit's event name." }),
        room: t.String(),
        room_sid: t.Optional(t.String()),
        hosts: t.Array(t.String(), { description: "The hosts that its call's SIP participants called." }),
        reason: t.String({ enum: Object.keys(WHY) }),
        message: t.String({ description: "The reason in words." }),
        created_at: t.Optional(t.String({ format: "date-time", description: "LiveKit's time, in whole seconds." })),
        received_at: t.String({ format: "date-time" }),
      }),
    ),
    next: Next,
  },
  {
    examples: [
      {
        unmatched: [
          {
            webhook_id: "EV_f774qPjJiNk2",
            event: "participant_joined",
            room: "sip-_+15550100_mBGLkC9yAdGT",
            room_sid: "RM_3TCyT7wmZNFk",
            hosts: ["unknown.example.com"],
            reason: "no_hook",
            message: WHY.no_hook,
            created_at: "2026-11-21T22:50:01.000Z",
            received_at: "2026-11-21T22:50:01.060Z",
          },
        ],
      },
    ],
  },
);

/** What went to no hook. */
export function unmatchedRoutes({ auth, history }: { readonly auth: AuthPlugin; readonly history: History }) {
  return new Elysia({ name: "sayna-sip/unmatched", tags: ["history"] }).use(auth).get(
    "/sip/unmatched",
    async ({ caller, query }) => {
      const page = await history.unmatched(
        {
          ...readSpan(query),
          ...given("room", query.room),
          ...(query.host === undefined ? {} : { host: readHost(query.host) }),
          ...(caller.role === "operator" ? {} : { maySeeHost: (host: string) => isGranted(caller, host) }),
        },
        readPage(query),
      );
      return { unmatched: page.entries.map(show), ...given("next", page.next) };
    },
    {
      caller: true,
      query: ListQuery,
      response: { 200: UnmatchedList, ...errorResponses(["invalid_request", "invalid_cursor", "unauthorized"]) },
      detail: {
        summary: "List events that went to no hook",
        description:
          "Newest first. `POST /sip/replay` sends them to the hooks of now. A tenant sees those of calls of which every called " +
          "host is within its `hosts`, and that have no hook.",
      },
    },
  );
}

/** Whether the operator gave this tenant the host. */
export function isGranted(caller: Principal, text: string): boolean {
  const host = normalizeHost(text);
  return host !== undefined && mayHaveHost(caller, host);
}

function show(event: UnmatchedEvent) {
  return {
    webhook_id: event.eventId,
    event: event.eventName,
    room: event.roomName,
    ...given("room_sid", event.roomSid),
    hosts: [...event.hosts],
    reason: event.why,
    message: WHY[event.why],
    ...given("created_at", isoSeconds(event.createdAt)),
    received_at: iso(event.receivedAt),
  };
}
