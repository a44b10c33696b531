import type { JsonObject } from "../../../src/domain/json";
import { webhookJson } from "../../support/webhooks";
import { keep, type Model, type ModelEvent } from "./model";
import { crashText, Step, type Crash } from "./step";
import type { ModelWorld } from "./world";

export const CALLS = ["c0", "c1", "c2", "c3", "c4"] as const;
export const EVENTS = [
  "room_started",
  "participant_joined",
  "participant_left",
  "track_published",
  "room_finished",
  "egress_started",
] as const;
/** Two SIP callers and an agent in each room. */
export const WHO = ["p0", "p1", "agent"] as const;

export type Arrival = {
  readonly call: string;
  readonly name: (typeof EVENTS)[number];
  readonly who: (typeof WHO)[number];
  readonly host: string;
};

/** LiveKit sends an event, and once more when the process ended while it took it. */
export class Arrives extends Step {
  readonly #arrival: Arrival;
  readonly #crash: Crash | undefined;

  constructor(arrival: Arrival, crash: Crash | undefined) {
    super();
    this.#arrival = arrival;
    this.#crash = crash;
  }

  override async act(model: Model, world: ModelWorld): Promise<void> {
    const id = `EV_${model.counter++}`;
    const { event, json } = makeEvent(id, this.#arrival);
    const body = JSON.stringify(json);
    if (this.#crash !== undefined) world.app.life.endAt(this.#crash.calls, this.#crash.when);
    let status = await world.app.webhook(body);
    world.app.life.goOn();
    if (world.app.life.over) {
      await world.killAndStart();
      status ??= await world.app.webhook(body);
    }
    if (status !== 200) throw new Error(`the webhook was answered ${status}`);
    model.kept.set(id, body);
    keep(model, event);
  }

  override toString(): string {
    const { call, name, who, host } = this.#arrival;
    return `${name}(${call}, ${who}, ${host}${crashText(this.#crash)})`;
  }
}

/** A caller joins in each of these calls, and more of the same call follows. */
export class CallsGoOn extends Step {
  readonly #events: readonly Arrives[];

  constructor(calls: readonly string[], host: string, names: readonly Arrival["name"][]) {
    super();
    const all = ["participant_joined" as const, ...names];
    this.#events = calls.flatMap((call) => all.map((name) => new Arrives({ call, name, who: "p0", host }, undefined)));
  }

  override async act(model: Model, world: ModelWorld): Promise<void> {
    for (const event of this.#events) await event.act(model, world);
  }

  override toString(): string {
    return this.#events.join("+");
  }
}

/** LiveKit repeats an event that was taken: its answer was lost. */
export class ArrivesAgain extends Step {
  readonly #which: number;

  constructor(which: number) {
    super();
    this.#which = which;
  }

  override async act(model: Model, world: ModelWorld): Promise<void> {
    const bodies = [...model.kept.values()];
    const body = bodies[this.#which % bodies.length];
    if (body === undefined) return;
    const status = await world.app.webhook(body);
    if (status !== 200) throw new Error(`the repeated webhook was answered ${status}`);
  }

  override toString(): string {
    return `again(${this.#which})`;
  }
}

function makeEvent(id: string, { call, name, who, host }: Arrival): { event: ModelEvent; json: JsonObject } {
  const roomSid = `RM_${call}`;
  const room = { sid: roomSid, name: `sip-${call}` };
  const ofRoom: ModelEvent = { id, roomSid, subject: "room", says: undefined };
  if (name === "egress_started") {
    const egressInfo = { egressId: "EG_1", roomId: roomSid, roomName: room.name };
    return { event: ofRoom, json: { event: name, id, egressInfo, createdAt: "1795301401" } };
  }
  if (name.startsWith("room_")) return { event: ofRoom, json: webhookJson(name, { id, room }) };
  const sid = `PA_${call}_${who}`;
  const event = { id, roomSid, subject: sid };
  if (name === "track_published") {
    const json = webhookJson(name, { id, room, participant: { sid, identity: who } });
    return { event: { ...event, says: undefined }, json };
  }
  if (who === "agent") {
    const participant = { sid, identity: who, kind: "AGENT" };
    return { event: { ...event, says: { sip: false } }, json: webhookJson(name, { id, room, participant }) };
  }
  const attributes = { "sip.callID": `SCL_${call}`, "sip.h.to": `<sip:+1555@${host}>;tag=x` };
  const participant = { sid, identity: who, kind: "SIP", attributes };
  return { event: { ...event, says: { sip: true, host } }, json: webhookJson(name, { id, room, participant }) };
}
