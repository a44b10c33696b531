import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { MatchAnswer, MatchView } from "../matcher";
import type { MatcherParts } from "../plugin";
import { matchView, type CallerForTest, type HookForTest } from "./match-view";

export type MatcherCase = {
  /** The test's name: what the matcher promises. */
  readonly name: string;
  readonly caller: CallerForTest;
  /** The host of the hook that it must answer with, `none` or `not-mine`. */
  readonly answer: string;
};

export type MatcherUnderTest = {
  /** Makes the matcher; called before each test. `createForTest` makes one of a plugin. */
  readonly create: () => MatcherParts | Promise<MatcherParts>;
  /** The forwarding table of the cases. */
  readonly hooks: readonly HookForTest[];
  readonly cases: readonly MatcherCase[];
  /** The `sip.matcher_deadline` that it is made for; its default, 2 s, by default. */
  readonly deadlineMs?: number;
};

const DEADLINE_MS = 2_000;
const AT_ONCE = 200;

/** Callers write what they like into SIP headers; LiveKit hands it on. */
const HOSTILE: readonly (CallerForTest & { readonly name: string })[] = [
  { name: "without any attribute of its own", attributes: {} },
  { name: "with empty values", to: "", number: "", trunk: "" },
  { name: "with a To header that cannot be read", to: '<sip:a@b@c>;;;"<>' },
  { name: "with a To header of 60 KiB", to: `<sip:${"x".repeat(60 * 1024)}@a.example.com>` },
  { name: "with a number of 60 KiB", number: `+${"1".repeat(60 * 1024)}` },
  { name: "with control characters", to: "<sip:a\r\nb@a.example.com>", number: "+1\u0000555" },
  { name: "with the names of JavaScript's own members", number: "__proto__", trunk: "constructor", to: "toString" },
  {
    name: "with quotes, commas and the like",
    number: "'; drop table x; --",
    to: '"a,b\\"c" <sip:%2e%2e%2f@a.example.com>',
  },
  { name: "that the room itself calls", number: "+15550999", outbound: true },
];

/**
 * The promises of `Matcher`, as tests for bun:test, beside the cases that are its own.
 *
 * @example
 * testMatcher("by-number", {
 *   create: () => createForTest(plugin),
 *   hooks: [{ host: "tenant-a.example.com", authId: "tenant-a" }],
 *   cases: [
 *     { name: "a number that it knows", caller: { number: "+15557654321" }, answer: "tenant-a.example.com" },
 *     { name: "any other number", caller: { number: "+15550000" }, answer: "not-mine" },
 *   ],
 * });
 */
export function testMatcher(title: string, { create, hooks, cases, deadlineMs = DEADLINE_MS }: MatcherUnderTest): void {
  describe(title, () => {
    let matcher: MatcherParts;

    beforeEach(async () => {
      matcher = await create();
    });

    afterEach(async () => {
      await matcher.close?.();
    });

    const answerTo = (view: MatchView) => answerWithin(deadlineMs, matcher, view);
    const ask = (caller: CallerForTest, table = hooks) => answerTo(matchView(caller, table));

    describe("answers", () => {
      test.each(cases.map((one) => [one.name, one] as const))("%s", async (_, { caller, answer }) => {
        expect(told(await ask(caller))).toBe(answer);
      });

      test("there are cases in which it finds a hook, and in which it does not", () => {
        const answers = cases.map(({ answer }) => answer);
        expect(answers.some((answer) => answer === "none" || answer === "not-mine")).toBe(true);
        expect(answers.some((answer) => answer !== "none" && answer !== "not-mine")).toBe(true);
      });
    });

    describe("promises", () => {
      test("the same answer to the same question, asked again", async () => {
        for (const { caller, answer } of cases) {
          await ask(caller);
          expect(told(await ask(caller))).toBe(answer);
        }
      });

      test("the same answers when many ask at once", async () => {
        const asked = Array.from({ length: AT_ONCE }, (_, i) => cases[i % cases.length]).filter(
          (one) => one !== undefined,
        );
        const answers = await Promise.all(asked.map(({ caller }) => ask(caller)));
        expect(answers.map(told)).toEqual(asked.map(({ answer }) => answer));
      });

      test("hooks of the table that it is shown, and never one that is gone", async () => {
        for (const { caller } of cases) {
          const view = matchView(caller, hooks);
          const answer = await answerTo(view);
          if (answer.kind === "hook") expect(view.hooks.all()).toContain(answer.hook as never);
          expect((await ask(caller, [])).kind).not.toBe("hook");
        }
      });

      test("no hook that it saw in an earlier table", async () => {
        const moved = hooks.map(({ host }) => ({ host, authId: "somebody-else" }));
        for (const { caller } of cases) {
          await ask(caller);
          const view = matchView(caller, moved);
          const answer = await answerTo(view);
          if (answer.kind === "hook") expect(view.hooks.all()).toContain(answer.hook as never);
        }
      });

      test.each(HOSTILE.map((one) => [one.name, one] as const))("an answer to a caller %s", async (_, caller) => {
        expect(["hook", "none", "not-mine"]).toContain((await ask(caller)).kind);
      });

      test("to leave what it is shown as it is", async () => {
        for (const { caller } of cases) {
          const view = matchView(caller, hooks);
          const before = JSON.stringify([view.event, view.participant, view.called, view.hooks.all()]);
          await answerTo(view);
          expect(JSON.stringify([view.event, view.participant, view.called, view.hooks.all()])).toBe(before);
        }
      });
    });
  });
}

async function answerWithin(deadlineMs: number, matcher: MatcherParts, view: MatchView): Promise<MatchAnswer> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${deadlineMs} ms`)), deadlineMs);
  });
  try {
    const answer: unknown = await Promise.race([matcher.match(view), late]);
    expect(["hook", "none", "not-mine"]).toContain(String((answer as Partial<MatchAnswer> | undefined)?.kind));
    return answer as MatchAnswer;
  } finally {
    clearTimeout(timer);
  }
}

const told = (answer: MatchAnswer): string => (answer.kind === "hook" ? answer.hook.host : answer.kind);
