/** Matchers that each break one promise; run by matcher-suite.test.ts, which expects the suite to notice. */
import type { MatchAnswer } from "../../src/contracts/matcher";
import type { MatcherParts } from "../../src/contracts/plugin";
import { testMatcher } from "../../src/testing";

const hooks = [{ host: "a.example.com", authId: "tenant-a" }];
const cases = [
  { name: "the number", caller: { number: "+1555" }, answer: "a.example.com" },
  { name: "another number", caller: { number: "+1666" }, answer: "not-mine" },
];
const NOT_MINE: MatchAnswer = { kind: "not-mine" };
let seen: MatchAnswer | undefined;
let asked = 0;

const right: MatcherParts["match"] = ({ called, hooks: table }) => {
  const hook = called.number === "+1555" ? table.byHost("a.example.com") : undefined;
  return hook === undefined ? NOT_MINE : { kind: "hook", hook };
};

const MATCHERS: Readonly<Record<string, MatcherParts["match"]>> = {
  right,
  wrong: () => NOT_MINE,
  "remembers a hook": (view) => (seen ??= right(view) as MatchAnswer),
  "throws at what it does not know": (view) => {
    if (!/^\+\d+$/.test(view.called.number ?? "")) throw new Error("no number");
    return right(view);
  },
  "answers with nothing": (view) => (view.called.number === "+1666" ? (undefined as never) : right(view)),
  "changes its mind": (view) => (++asked % 3 === 0 ? { kind: "none" } : right(view)),
  "never answers": () => new Promise<MatchAnswer>(() => {}),
  "changes what it is shown": (view) => {
    Object.assign(view.participant.attributes, { seen: "yes" });
    return right(view);
  },
  "makes hooks of its own": ({ called }) =>
    called.number === "+1555" ? { kind: "hook", hook: { id: "hk_x", host: "a.example.com" } as never } : NOT_MINE,
};

const name = process.env.MATCHER ?? "";
testMatcher(name, { create: () => ({ match: MATCHERS[name] ?? right }), hooks, cases, deadlineMs: 50 });
