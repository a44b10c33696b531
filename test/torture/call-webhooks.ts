import type { JsonObject } from "../../src/domain/json";

/** One webhook of a made-up call. */
export type CallWebhook = {
  readonly id: string;
  /** Its number in its call. */
  readonly n: number;
  readonly body: string;
  /** The tenants that must get it. */
  readonly to: readonly string[];
};

export const hostOf = (tenant: string): string => `${tenant}.example.com`;
export const roomSidOf = (call: string): string => `RM_${call}`;

/**
 * The webhooks of one call as LiveKit sends them, about 1 KB each: the room, a SIP caller for each tenant, an agent, their
 * tracks. With two tenants it is a room that both share: nobody gets the other's caller.
 */
export function callWebhooks(call: string, tenants: readonly string[], tracks = 1): readonly CallWebhook[] {
  const events: { name: string; members: JsonObject; to: readonly string[] }[] = [];
  const add = (name: string, to: readonly string[], members: JsonObject = {}) => events.push({ name, members, to });
  const agent = { sid: `PA_${call}_agent`, identity: "agent", kind: "AGENT", state: "ACTIVE" };
  const of = ({ sid, identity }: { sid: string; identity: string }) => ({ sid, identity });
  const callers = tenants.map((tenant) => ({ tenant, participant: sipCaller(call, tenant) }));

  add("room_started", tenants);
  for (const { tenant, participant } of callers) add("participant_joined", [tenant], { participant });
  add("participant_joined", tenants, { participant: agent });
  for (let i = 0; i < tracks; i++) {
    const track = { sid: `TR_${call}_${i}`, source: "MICROPHONE", mimeType: "audio/opus" };
    add("track_published", tenants, { participant: of(agent), track });
    for (const { tenant, participant } of callers)
      add("track_published", [tenant], { participant: of(participant), track });
  }
  for (const { tenant, participant } of callers) add("participant_left", [tenant], { participant });
  add("room_finished", tenants);

  const room = { sid: roomSidOf(call), name: `sip-_+15550100_${call}`, emptyTimeout: 300, creationTime: "1795301401" };
  return events.map(({ name, members, to }, n) => {
    const id = `EV_${call}_${n}`;
    const body = JSON.stringify({ event: name, room, ...members, id, createdAt: "1795301401", numDropped: 0 });
    return { id, n, body, to };
  });
}

function sipCaller(call: string, tenant: string) {
  return {
    sid: `PA_${call}_${tenant}`,
    identity: `sip_+15550100_${call}`,
    name: "Phone +15550100",
    kind: "SIP",
    state: "ACTIVE",
    joinedAt: "1795301401",
    attributes: {
      "sip.callID": `SCL_${call}`,
      "sip.callIDFull": `${call}-7f3a9c5e@198.51.100.7`,
      "sip.callStatus": "ringing",
      "sip.hostname": "198.51.100.7",
      "sip.phoneNumber": "+15550100",
      "sip.trunkPhoneNumber": "+15550199",
      "sip.trunkID": "ST_q4vTzJ6cPfKa",
      "sip.ruleID": "SDR_h2WqgYtBNa9e",
      "sip.h.to": `<sip:+15550199@${hostOf(tenant)}>;tag=SCL_${call}`,
    },
    permission: { canSubscribe: true, canPublish: true, canPublishData: true },
  };
}
