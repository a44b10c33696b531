import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { resolveDuplicates, type Move } from "../../../plugins/provisioner/resolve-duplicates";
import type { FakeLiveKit } from "../../support/fake-livekit";
import {
  instance,
  messages,
  nextTurn,
  provisioned,
  RULE,
  runToEnd,
  startLiveKit,
  TRUNK,
  writes,
} from "./started-livekit";

/** Holds the writes of `method` back until `parties` of them have passed LiveKit's check. */
function race(livekit: FakeLiveKit, method: string, parties: number): void {
  const all = Promise.withResolvers<void>();
  let arrived = 0;
  livekit.inject({
    method,
    times: parties,
    at: "write",
    run: () => {
      arrived += 1;
      if (arrived === parties) all.resolve();
      return all.promise;
    },
  });
}

/** One trunk, one rule, and the rule is tied to the trunk. */
function expectOnePair(livekit: FakeLiveKit): void {
  const names = (stored: FakeLiveKit["state"]["trunks"]): unknown[] => [...stored.values()].map((item) => item["name"]);
  expect([names(livekit.state.trunks), names(livekit.state.rules)]).toEqual([[TRUNK], [RULE]]);
  const [trunkId] = livekit.state.trunks.keys();
  expect([...livekit.state.rules.values()][0]?.["trunk_ids"]).toContain(trunkId);
}

const withoutErrors = async (ends: Promise<{ error: unknown }>[]): Promise<void> => {
  expect((await Promise.all(ends)).map(({ error }) => error)).toEqual(ends.map(() => undefined));
};

describe("instances that start together", () => {
  test("end with one trunk and one rule", async () => {
    const livekit = await startLiveKit();
    await withoutErrors([1, 2, 3].map(() => runToEnd(instance(livekit))));
    expectOnePair(livekit);
  });

  test.each([2, 3])("%d at once, each of which creates a trunk, end with one trunk and one rule", async (parties) => {
    const livekit = await startLiveKit();
    race(livekit, "SIP/CreateSIPInboundTrunk", parties);
    const started = Array.from({ length: parties }, () => instance(livekit));
    await withoutErrors(started.map(runToEnd));
    expectOnePair(livekit);
    expect(writes(livekit).filter((method) => method === "CreateSIPInboundTrunk").length).toBe(parties);
    const [trunkId] = livekit.state.trunks.keys();
    for (const { provisioner } of started) expect(provisioner.state()).toMatchObject({ kind: "done", trunkId });
  });

  test("two that each create a rule end with one trunk and one rule", async () => {
    const livekit = await startLiveKit();
    race(livekit, "SIP/CreateSIPDispatchRule", 2);
    const started = [instance(livekit), instance(livekit)];
    await withoutErrors(started.map(runToEnd));
    expectOnePair(livekit);
    const [dispatchRuleId] = livekit.state.rules.keys();
    for (const { provisioner } of started) expect(provisioner.state()).toMatchObject({ kind: "done", dispatchRuleId });
  });

  test("withdraw only what they themselves have just created", async () => {
    const livekit = await startLiveKit();
    race(livekit, "SIP/CreateSIPInboundTrunk", 2);
    const started = [instance(livekit), instance(livekit)];
    await withoutErrors(started.map(runToEnd));
    const deleted = livekit.requests.filter(({ method }) => method.includes("Delete")).map(({ request }) => request);
    expect(deleted.length).toBe(1);
    const lines = started.flatMap((one) => messages(one, "info")).filter((line) => line.includes("withdrawn"));
    expect(lines).toEqual([
      "Another instance created the SIP trunk at the same time: ours of a moment ago is withdrawn",
    ]);
  });

  test.each(["ST_0", "ST_z"])("one that is done with its trunk %s is not waited for longer than 5 s", async (id) => {
    const livekit = await startLiveKit();
    const other = { name: TRUNK, sip_trunk_id: id, allowed_addresses: ["203.0.113.0/24", "198.51.100.7"] };
    livekit.inject({
      method: "SIP/CreateSIPInboundTrunk",
      at: "write",
      run: () => {
        livekit.state.trunks.set(id, { ...other, headers_to_attributes: { To: "sip.h.to" } });
      },
    });
    const { error, waited } = await runToEnd(instance(livekit));
    expect(error).toBeUndefined();
    expect([...livekit.state.trunks.keys()]).toEqual([id]);
    expectOnePair(livekit);
    expect(waited).toEqual(id === "ST_0" ? [] : [1_000, 1_000, 1_000, 1_000, 1_000]);
  });

  test("one whose trunk is withdrawn under another's rule leaves the rule tied to the one that stays", async () => {
    const livekit = await startLiveKit();
    const first = await provisioned(livekit);
    const [old = ""] = livekit.state.trunks.keys();
    livekit.inject({
      method: "SIP/ListSIPDispatchRule",
      at: "request",
      run: () => {
        const trunk = livekit.state.trunks.get(old);
        livekit.state.trunks.delete(old);
        livekit.state.trunks.set("ST_new", { ...trunk, sip_trunk_id: "ST_new" });
        for (const rule of livekit.state.rules.values()) rule["trunk_ids"] = [];
      },
    });
    await provisioned(livekit);
    expectOnePair(livekit);
    expect(first.provisioner.state().kind).toBe("done");
  });

  test("in any order of their requests, checks, writes and answers end with one trunk and one rule", async () => {
    const delays = fc.array(fc.nat({ max: 12 }), { minLength: 8, maxLength: 24 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 4 }), delays, async (parties, turns) => {
        const livekit = await startLiveKit();
        let step = 0;
        const later = async (): Promise<void> => {
          step += 1;
          for (let left = turns[step % turns.length] ?? 0; left > 0; left -= 1) await nextTurn();
        };
        for (const at of ["request", "write", "answer"] as const) livekit.inject({ times: Infinity, at, run: later });
        await withoutErrors(Array.from({ length: parties }, () => later().then(() => runToEnd(instance(livekit)))));
        expectOnePair(livekit);
      }),
      { numRuns: 25 },
    );
  });

  test("with different configurations end with one of them", async () => {
    const livekit = await startLiveKit();
    await withoutErrors([
      runToEnd(instance(livekit, { maxParticipants: 4 })),
      runToEnd(instance(livekit, { allowedAddresses: ["192.0.2.1"] })),
    ]);
    expectOnePair(livekit);
  });
});

describe("two of our name that were there before", () => {
  test("trunks are left alone, and the error names them and the command", async () => {
    const livekit = await startLiveKit();
    for (const id of ["ST_a", "ST_b"]) livekit.state.trunks.set(id, { sip_trunk_id: id, name: TRUNK });
    const { error, waited } = await runToEnd(instance(livekit));
    expect(String(error)).toBe(
      "ProvisioningError: SIP trunk sayna-sip--trunk could not be provisioned: there are 2 of this name (ST_a, ST_b), and " +
        "calls fail until there is one. Remove all but one: lk sip inbound delete ST_b",
    );
    expect(waited.length).toBe(20);
    expect(writes(livekit)).toEqual([]);
  });

  test("rules are left alone, and the error names them and the command", async () => {
    const livekit = await startLiveKit();
    await provisioned(livekit);
    for (const id of ["SDR_a", "SDR_b"]) livekit.state.rules.set(id, { sip_dispatch_rule_id: id, name: RULE });
    const before = writes(livekit).length;
    const { error } = await runToEnd(instance(livekit));
    expect(String(error)).toMatch(
      /SIP dispatch rule .* there are 3 of this name .*: lk sip dispatch delete SDR_\w+ SDR_/,
    );
    expect(writes(livekit).length).toBe(before);
  });
});

describe("resolveDuplicates", () => {
  const mine = (...ids: string[]): Set<string> => new Set(ids);
  test.each<[string, string[], Set<string>, number, Move]>([
    [
      "what this run created goes, when it is not the first",
      ["a", "b"],
      mine("b"),
      0,
      { kind: "withdraw", ids: ["b"] },
    ],
    ["the first stays while the others may still go", ["a", "b"], mine("a"), 4_999, { kind: "wait" }],
    ["the first goes when the others do not", ["a", "b"], mine("a"), 5_000, { kind: "withdraw", ids: ["a"] }],
    ["of two of this run the first stays", ["a", "b"], mine("a", "b"), 0, { kind: "withdraw", ids: ["b"] }],
    ["others' are given time", ["a", "b"], mine(), 19_999, { kind: "wait" }],
    ["others' are never touched", ["a", "b"], mine(), 20_000, { kind: "give up" }],
    ["what is not there any more counts for nothing", ["a", "b"], mine("c"), 20_000, { kind: "give up" }],
  ])("%s", (_, ids, created, waited, move) => {
    expect(resolveDuplicates(ids, created, waited)).toEqual(move);
  });
});
