import * as fc from "fast-check";
import { Answers, OUTCOMES } from "./answers";
import { Arrives, ArrivesAgain, CallsGoOn, CALLS, EVENTS, WHO } from "./arrivals";
import { Cancels, Replays, RoutesAgain } from "./asking-again";
import { KeepsAnswering } from "./keeps-answering";
import { Kill, SetsTheClock, Turns } from "./passing-time";
import { DeletesHook, PausesHook, PutsHook } from "./table-changes";
import { CHANGEABLE_HOSTS, FIXED_HOST, HOSTS, TENANTS } from "./world";

const crash = fc.oneof(
  { weight: 9, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.record({ calls: fc.nat(2), when: fc.constantFrom("before" as const, "after" as const) }) },
);
const outcome = fc.constantFrom(...OUTCOMES);
const arrival = fc.record({
  call: fc.constantFrom(...CALLS),
  name: fc.constantFrom(...EVENTS),
  who: fc.constantFrom(...WHO),
  // Most are called by somebody's host.
  host: fc.constantFrom(...HOSTS, ...CHANGEABLE_HOSTS, FIXED_HOST),
});
const changeable = fc.constantFrom(...CHANGEABLE_HOSTS);
const called = fc.constantFrom(...CHANGEABLE_HOSTS, FIXED_HOST);
const hookOrCall = fc.oneof(
  called.map((hook) => ({ hook })),
  fc.constantFrom(...CALLS).map((call) => ({ call })),
);

const arrives = fc.tuple(arrival, crash).map(([a, c]) => new Arrives(a, c));
const more = fc.array(fc.constantFrom(...EVENTS), { minLength: 1, maxLength: 5 });
const calls = fc.subarray([...CALLS], { minLength: 1 });
const goOn = fc.tuple(calls, called, more).map(([c, h, m]) => new CallsGoOn(c, h, m));
const answers = fc.tuple(fc.nat(9), outcome, crash).map(([w, o, c]) => new Answers(w, o, c));
// Half an hour takes long to turn.
const turns = fc.constantFrom(1, 1, 2, 2, 5, 5, 10, 10, 30, 30, 300, 1_800).map((seconds) => new Turns(seconds));
const pauses = fc.array(fc.constantFrom(0, 0, 1, 3, 9, 30), { minLength: 2, maxLength: 12 });
const keepsAnswering = fc
  .tuple(fc.array(outcome, { minLength: 1, maxLength: 2 }), pauses)
  .map(([outcomes, seconds]) => new KeepsAnswering(outcomes, seconds));
const kill = fc.constant(new Kill());

/** Everything that can happen; what there should be much of is there more than once. */
export const happenings = [
  ...often(8, arrives),
  ...often(4, goOn),
  ...often(4, answers),
  ...often(3, turns),
  ...often(8, keepsAnswering),
  fc.tuple(outcome, crash).map(([o, c]) => new Answers("all", o, c)),
  crash.map((c) => new Answers("all", "200", c)),
  fc.nat(20).map((which) => new ArrivesAgain(which)),
  fc.constantFrom(-3_600, 3_600).map((seconds) => new SetsTheClock(seconds)),
  kill,
  fc.tuple(changeable, fc.constantFrom(...TENANTS)).map(([h, t]) => new PutsHook(h, t)),
  changeable.map((host) => new DeletesHook(host)),
  changeable.map((host) => new PausesHook("pause", host)),
  changeable.map((host) => new PausesHook("resume", host)),
  fc.tuple(hookOrCall, fc.boolean()).map(([selection, delivered]) => new Replays(selection, delivered)),
  hookOrCall.map((selection) => new Cancels(selection)),
  fc.constant(new RoutesAgain()),
];

function often<Item>(times: number, item: Item): Item[] {
  return Array.from({ length: times }, () => item);
}
