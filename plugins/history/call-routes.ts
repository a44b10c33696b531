import { Elysia, t } from "elysia";
import type { History } from "../../src/contracts/history";
import { AppError } from "../../src/domain/errors";
import { roomSid } from "../../src/domain/ids";
import type { AuthPlugin } from "../auth";
import { errorResponses } from "../http-errors";
import { CallList, OneCall } from "./call-schemas";
import type { Obstacles } from "./next-try";
import { PageQuery, Query, SpanQuery } from "./query-schemas";
import { given, readHost, readNumber, readPage, readSpan, viewerOf } from "./read-query";
import { showCall, showTimeline } from "./show-call";

const ListQuery = t.Object(
  {
    ...PageQuery,
    ...SpanQuery,
    sip_call_id: Query.sipCallId,
    caller: Query.caller,
    callee: Query.callee,
    room: Query.room,
    hook: Query.hook,
    state: t.Optional(t.Union([t.Literal("active"), t.Literal("finished")], { examples: ["active"] })),
  },
  { additionalProperties: false },
);

const TimelineQuery = t.Object(PageQuery, { additionalProperties: false });

const CallParams = t.Object({
  room_sid: t.String({ minLength: 1, maxLength: 1024, description: "The room's sid.", examples: ["RM_3TCyT7wmZNFk"] }),
});

export type CallRoutesOptions = {
  readonly auth: AuthPlugin;
  readonly history: History;
  readonly obstacles: Obstacles;
};

/** What happened to calls. */
export function callRoutes({ auth, history, obstacles }: CallRoutesOptions) {
  return new Elysia({ name: "sayna-sip/calls", tags: ["history"] })
    .use(auth)
    .get(
      "/sip/calls",
      async ({ caller, query }) => {
        const page = await history.calls(
          {
            viewer: viewerOf(caller),
            ...readSpan(query),
            ...given("sipCallId", query.sip_call_id),
            ...given("caller", readNumber(query.caller)),
            ...given("callee", readNumber(query.callee)),
            ...given("room", query.room),
            ...(query.hook === undefined ? {} : { host: readHost(query.hook) }),
            ...given("state", query.state),
          },
          readPage(query),
        );
        return { calls: page.entries.map(showCall), ...given("next", page.next) };
      },
      {
        caller: true,
        query: ListQuery,
        response: { 200: CallList, ...errorResponses(["invalid_request", "invalid_cursor", "unauthorized"]) },
        detail: {
          summary: "List calls",
          description:
            "Newest first; all filters given must fit. A tenant sees the calls that have one of its hooks, and of a shared " +
            "room only its own participants and those that it was sent events of.",
        },
      },
    )
    .get(
      "/sip/calls/:room_sid",
      async ({ caller, params, query }) => {
        const sid = roomSid(params.room_sid);
        const viewer = viewerOf(caller);
        const call = await history.call(sid, viewer);
        if (call === undefined) throw new AppError("call_not_found");
        const page = await history.timeline(sid, viewer, readPage(query));
        return { call: showTimeline(call, page.entries, caller, obstacles), ...given("next", page.next) };
      },
      {
        caller: true,
        params: CallParams,
        query: TimelineQuery,
        response: {
          200: OneCall,
          ...errorResponses(["invalid_request", "invalid_cursor", "unauthorized", "call_not_found"]),
        },
        detail: {
          summary: "What happened to a call",
          description:
            "Its participants and why their events went where they went, each event with its deliveries and attempts, and the " +
            "gaps; events come in pages. A tenant sees the events that it was sent. 404 for a call that does not exist and for " +
            "another tenant's alike.",
        },
      },
    );
}
