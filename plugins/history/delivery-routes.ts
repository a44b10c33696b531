import { Elysia, t } from "elysia";
import { DELIVERY_STATE_NAMES, type DeliveryState, type History } from "../../src/contracts/history";
import { AppError } from "../../src/domain/errors";
import { roomSid } from "../../src/domain/ids";
import type { AuthPlugin } from "../auth";
import { errorResponses } from "../http-errors";
import { DeliveryList, OneDelivery } from "./delivery-schemas";
import type { Obstacles } from "./next-try";
import { PageQuery, Query, SpanQuery } from "./query-schemas";
import { given, readHost, readPage, readSpan, viewerOf } from "./read-query";
import { showDelivery, showDetail } from "./show-delivery";

export type DeliveryRoutesOptions = {
  readonly auth: AuthPlugin;
  readonly history: History;
  readonly obstacles: Obstacles;
};

const names = DELIVERY_STATE_NAMES.join("|");

const ListQuery = t.Object(
  {
    ...PageQuery,
    ...SpanQuery,
    state: t.Optional(
      t.String({
        pattern: `^(${names})(,(${names}))*$`,
        maxLength: 100,
        description: `One or more of ${DELIVERY_STATE_NAMES.join(", ")}, with commas; all without it.`,
        examples: ["dead,expired"],
      }),
    ),
    hook: Query.hook,
    auth_id: Query.authId,
    room: Query.room,
    call: Query.call,
    event: Query.event,
  },
  { additionalProperties: false },
);

/** A delivery's id in a path: within what a number holds. */
export const IdParams = t.Object({
  id: t.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: "The delivery's id.", examples: [4711] }),
});

/** What was sent to hooks, and what did not arrive. */
export function deliveryRoutes({ auth, history, obstacles }: DeliveryRoutesOptions) {
  return new Elysia({ name: "sayna-sip/deliveries", tags: ["history"] })
    .use(auth)
    .get(
      "/sip/deliveries",
      async ({ caller, query }) => {
        const page = await history.deliveries(
          {
            viewer: viewerOf(caller),
            ...readSpan(query),
            ...(query.state === undefined ? {} : { states: query.state.split(",").filter(isState) }),
            ...(query.hook === undefined ? {} : { host: readHost(query.hook) }),
            ...given("authId", query.auth_id),
            ...given("room", query.room),
            ...(query.call === undefined ? {} : { roomSid: roomSid(query.call) }),
            ...given("eventName", query.event),
          },
          readPage(query),
        );
        return {
          deliveries: page.entries.map((delivery) => showDelivery(delivery, obstacles)),
          ...given("next", page.next),
        };
      },
      {
        caller: true,
        query: ListQuery,
        response: {
          200: DeliveryList,
          ...errorResponses(["invalid_request", "invalid_cursor", "unauthorized"]),
        },
        detail: {
          summary: "List deliveries",
          description:
            "Newest first. `state=dead,expired,cancelled` is what did not arrive. `since` and `until` count when the delivery " +
            "was made. A tenant sees those of its own hooks.",
        },
      },
    )
    .get(
      "/sip/deliveries/:id",
      async ({ caller, params }) => {
        const delivery = await history.delivery(params.id, viewerOf(caller));
        if (delivery === undefined) throw new AppError("delivery_not_found");
        return { delivery: showDetail(delivery, caller, obstacles) };
      },
      {
        caller: true,
        params: IdParams,
        response: {
          200: OneDelivery,
          ...errorResponses(["invalid_request", "unauthorized", "delivery_not_found"]),
        },
        detail: {
          summary: "A delivery with its attempts",
          description: "404 for one that does not exist and for another tenant's alike.",
        },
      },
    );
}

const isState = (name: string): name is DeliveryState => DELIVERY_STATE_NAMES.some((state) => state === name);
