import { calledNumber } from "../../domain/called-number";
import { hookId } from "../../domain/hook";
import { HookTable } from "../../domain/hook-table";
import { parseHostPattern } from "../../domain/host-pattern";
import { eventId, participantSid, roomSid } from "../../domain/ids";
import type { Attributes, LiveKitEvent } from "../../domain/livekit-event";
import { parseSipAddress } from "../../domain/sip-address";
import type { CandidateHooks, MatchView, RememberedCall } from "../matcher";

/** A hook of the forwarding table, as far as a matcher is concerned. */
export type HookForTest = { readonly host: string; readonly authId?: string };

/** Who calls whom. */
export type CallerForTest = {
  /** The To header; without one there is none. */
  readonly to?: string;
  /** The number that was called. */
  readonly number?: string;
  /** LiveKit's id of the trunk. */
  readonly trunk?: string;
  /** An outbound leg: somebody whom the room calls. Its `number` is then the one that it calls from. */
  readonly outbound?: boolean;
  /** More attributes of the participant, or other values of those above. */
  readonly attributes?: Attributes;
  /** What is remembered of its call; by default it is the call's first event. */
  readonly remembered?: RememberedCall;
};

/**
 * What a matcher is shown when this caller joins a room, with this forwarding table.
 *
 * @example
 * const view = matchView({ number: "+15557654321" }, [{ host: "tenant-a.example.com", authId: "tenant-a" }]);
 * expect(await matcher.match(view)).toMatchObject({ kind: "hook", hook: { host: "tenant-a.example.com" } });
 */
export function matchView(caller: CallerForTest, hooks: readonly HookForTest[]): MatchView {
  const attributes = Object.freeze(attributesOf(caller));
  const participant = Object.freeze({ sid: participantSid("PA_test"), identity: "sip_test", attributes });
  const event: LiveKitEvent = Object.freeze({
    id: eventId("EV_test"),
    name: "participant_joined",
    createdAt: 1_795_301_401,
    roomName: "sip-test",
    roomSid: roomSid("RM_test"),
    subject: Object.freeze({ kind: "participant", sip: true, ...participant }),
  });
  const to = attributes["sip.h.to"];
  const address = to === undefined ? undefined : parseSipAddress(to);
  return Object.freeze({
    event,
    participant,
    called: Object.freeze({ host: address?.host, user: address?.user, number: calledNumber(attributes) }),
    hooks: candidates(hooks),
    remembered: async () => caller.remembered,
    signal: new AbortController().signal,
  });
}

function attributesOf({ to, number, trunk, outbound = false, attributes }: CallerForTest): Attributes {
  return {
    "sip.callID": "SCL_test",
    "sip.callStatus": outbound ? "dialing" : "ringing",
    "sip.phoneNumber": "+15550100",
    "sip.trunkID": trunk ?? "ST_test",
    "sip.trunkPhoneNumber": number ?? "",
    ...(outbound ? {} : { "sip.ruleID": "SDR_test" }),
    ...(to === undefined ? {} : { "sip.h.to": to }),
    ...attributes,
  };
}

function candidates(hooks: readonly HookForTest[]): CandidateHooks {
  const entries = hooks.map(({ host, authId }) => {
    const pattern = parseHostPattern(host);
    if (pattern === undefined) throw new TypeError(`${host} is no host for a hook`);
    const tenant = authId === undefined ? {} : { authId };
    return Object.freeze({
      id: hookId(pattern, authId),
      host: pattern,
      url: "https://hooks.example/",
      source: "config" as const,
      ...tenant,
    });
  });
  const table = new HookTable(entries, []);
  return Object.freeze({
    exact: (host) => table.exact(host),
    wildcard: (host) => table.wildcard(host),
    byHost: (host) => {
      const pattern = parseHostPattern(host);
      return pattern === undefined ? undefined : table.byPattern(pattern);
    },
    all: () => table.all(),
  } satisfies CandidateHooks);
}
