import type { Clock } from "../../src/contracts/clock";
import type { Current } from "../../src/contracts/current";
import type { History, Remembered } from "../../src/contracts/history";
import type { Outage } from "../../src/domain/breaker";
import { newCall } from "../../src/domain/call";
import type { Hook } from "../../src/domain/hook";
import { parseHostPattern } from "../../src/domain/host-pattern";
import { roomSid, type HookId } from "../../src/domain/ids";
import type { LiveKitEvent } from "../../src/domain/livekit-event";
import type { Principal } from "../../src/domain/principal";
import { routeEvent, type Match } from "../../src/domain/routing";
import type { HookRegistry } from "../hooks-store/hook-registry";
import { viewBreaker } from "../hooks-store/view-breaker";
import { readHostHeaders } from "../webhook-forwarder/router/called-host";
import { matchParticipant, type MatchOptions } from "../webhook-forwarder/router/match-participant";
import type { ExplainAnswer, HookAnswer, Step } from "./explain-schemas";
import type { Question } from "./question";
import { matchFor, memoryFor, type Asked } from "./tenant-view";

export type ExplainOptions = {
  readonly roomPrefix: string;
  readonly history: History;
  readonly registry: HookRegistry;
  /** Undefined while the hook's endpoint is taken to work. */
  readonly breakerOf: (hook: HookId) => Outage | undefined;
  readonly matching: Current<MatchOptions>;
  readonly clock: Clock;
};

/** Says step by step what would happen to an event; nothing is stored or sent. */
export async function explainEvent(
  { event, supposed, noHost }: Question,
  caller: Principal,
  options: ExplainOptions,
): Promise<ExplainAnswer> {
  const { registry, roomPrefix } = options;
  const matching = options.matching();
  const steps: Step[] = [];
  const say = (step: Step["step"], message: string) => steps.push({ step, message });
  const end = (outcome: ExplainAnswer["outcome"], hooks: HookAnswer[] = []) => ({ outcome, hooks, steps });

  if (!supposed) {
    const isSip = event.roomName?.startsWith(roomPrefix) === true;
    const room = event.roomName === undefined ? "It names no room" : `Its room ${event.roomName}`;
    say(
      "room",
      isSip
        ? `${room} begins with ${roomPrefix}: it belongs to SIP.`
        : `${room}${event.roomName === undefined ? "" : ` does not begin with ${roomPrefix}`}: it does not belong to SIP.`,
    );
    if (!isSip) return end("not_sip");
  }
  // A tenant is not told whether others have hooks.
  if (registry.table.size === 0 && caller.role === "operator") {
    say("table", "The forwarding table is empty: it is answered 200 and not kept.");
    return end("no_hooks");
  }

  const { subject } = event;
  const speaks = subject.kind === "participant" && subject.sip === true && subject.attributes !== undefined;
  if (!supposed) say("participant", aboutParticipant(event));
  if (noHost !== undefined) say("header", aboutNoHost(noHost));
  else if (speaks) for (const message of aboutHeaders(event, matching.hostHeaders)) say("header", message);

  const told: Asked[] = [];
  const answer = await matchParticipant(event, registry.table, {
    ...matching,
    onAnswer: (matcher, said) => told.push({ matcher, answer: said }),
  });
  const names = matching.matchers.map(({ name }) => name);
  const { asked, match } = matchFor(caller, { asked: told, match: answer }, registry.table, names);
  for (const one of asked) say("matcher", aboutMatcher(one));

  const remembered: Remembered = supposed
    ? { duplicate: false, call: undefined }
    : await options.history.remembered(event, options.clock.now());
  if (remembered.duplicate && caller.role === "operator") {
    say("memory", "An event of this id is known: it is answered 200 and adds nothing.");
    return end("duplicate");
  }
  const known = memoryFor(caller, remembered, registry.table);
  const decided = subject.kind === "participant" ? known?.memory.participants.get(subject.sid) : undefined;
  if (!supposed) say("memory", aboutMemory(event, known, decided !== undefined));
  if (speaks && decided === undefined && match === undefined) return end("undecided");
  const unmatched = speaks && decided === undefined && match?.kind === "none";
  // Of others in the room a tenant learns nothing.
  if (unmatched && (caller.role === "tenant" || (known?.memory.hooks.length ?? 0) === 0)) {
    say("hook", "No hook matches: it is kept, and listed as unmatched until its call has a hook.");
    return end("no_match");
  }

  const hooks = hooksOf(event, match, known).map(({ hook, earlier }) => describe(hook, earlier));
  if (hooks.length === 0) {
    say(
      "hook",
      "It goes to no hook yet: it is held for its call, and listed as unmatched after 30 s or when the room ends.",
    );
    return end("held");
  }
  if (hooks.every(({ state }) => state === "gone")) return end("cancelled", hooks);
  return end(hooks.some(({ wants_event: wants }) => wants) ? "delivered" : "unwanted", hooks);

  function describe(id: HookId, earlier: number): HookAnswer {
    const hook: Hook | undefined = registry.table.byId(id);
    if (hook === undefined) {
      say("hook", "The hook of its call is gone: the delivery is cancelled.");
      return { state: "gone", wants_event: false, earlier_events: 0 };
    }
    const wants = registry.planDelivery(id, event.name) !== "unwanted";
    const paused = registry.isPaused(id);
    const state = paused ? "paused: what it gets waits" : "active";
    say("hook", `The hook of ${hook.host} is ${state}; it ${wants ? "wants" : "does not want"} ${event.name}.`);
    const outage = options.breakerOf(id);
    if (outage !== undefined) say("hook", `Its endpoint is taken not to work (${outage.reason}): what it gets waits.`);
    if (earlier > 0) say("hook", `Before it go ${earlier} earlier events of the call.`);
    return {
      host: hook.host,
      ...(hook.authId === undefined ? {} : { auth_id: hook.authId }),
      state: paused ? "paused" : "active",
      wants_event: wants,
      earlier_events: earlier,
      ...(outage === undefined ? {} : { breaker: viewBreaker(outage) }),
    };
  }
}

/** The hooks that the event goes to, with how many earlier ones go there before it. */
function hooksOf(event: LiveKitEvent, match: Match | undefined, known: Remembered["call"]) {
  const call = known?.memory ?? newCall(event.roomSid ?? roomSid(""), event.roomName ?? "");
  const { deliveries } = routeEvent(call, event, match, (which) => known?.[which] ?? []);
  const counts = new Map<HookId, number>();
  for (const { event: which, hook } of deliveries)
    counts.set(hook, (counts.get(hook) ?? 0) + (which === "this" ? 0 : 1));
  return [...counts].map(([hook, earlier]) => ({ hook, earlier }));
}

function aboutParticipant({ name, subject }: LiveKitEvent): string {
  if (subject.kind === "room") return `${name} is about the room: it goes to every hook of its call.`;
  if (subject.kind === "unreadable") return `Whom ${name} is about cannot be read: it goes to nobody.`;
  if (subject.sip === undefined) return `${name} is about ${subject.sid}, and does not say of which kind that is.`;
  if (!subject.sip)
    return `${name} is about ${subject.sid}, which is not of kind SIP: it goes to every hook of its call.`;
  const has = subject.attributes === undefined ? "without attributes: it says nothing of a host" : "with attributes";
  return `${name} is about the SIP participant ${subject.sid}, ${has}.`;
}

function aboutNoHost(text: string): string {
  const name = JSON.stringify(text);
  if (parseHostPattern(text) !== undefined)
    return `${name} is a hook's pattern, and no host that is called: name one below it.`;
  return `${name} is no host: a host is a name such as sip.example.com, or an IP address.`;
}

function* aboutHeaders({ subject }: LiveKitEvent, hostHeaders: readonly string[]): Iterable<string> {
  const attributes = subject.kind === "participant" ? (subject.attributes ?? {}) : {};
  for (const { header, value, host } of readHostHeaders(attributes, hostHeaders)) {
    if (host !== undefined) {
      yield `The header ${header} says ${host}.`;
      return;
    }
    yield value === undefined
      ? `There is no header ${header} (attribute sip.h.${header.toLowerCase()}).`
      : `The header ${header} has no host that can be told for sure.`;
  }
  yield "No called host could be read.";
}

function aboutMatcher({ matcher, answer }: Asked): string {
  if (answer === undefined) return `${matcher} failed: the participant stays undecided.`;
  if (answer.kind === "hook") return `${matcher} chooses the hook of ${answer.hook.host}.`;
  return answer.kind === "none" ? `${matcher} says that it belongs to no hook.` : `${matcher} finds no hook.`;
}

function aboutMemory(event: LiveKitEvent, known: Remembered["call"], decided: boolean): string {
  if (known === undefined) {
    return event.roomSid === undefined
      ? "It names no room sid, and no call of its room's name is known."
      : `Nothing is remembered of the call ${event.roomSid}.`;
  }
  const { roomSid: sid, hooks } = known.memory;
  const has = `The call ${sid} is known, with ${hooks.length === 1 ? "one hook" : `${hooks.length} hooks`}`;
  return decided ? `${has}; where this participant's events go was decided by an earlier event.` : `${has}.`;
}
