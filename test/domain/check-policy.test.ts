import { describe, expect, test } from "bun:test";
import { policyExcess, policyFaults } from "../../src/domain/check-policy";
import type { DeliveryPolicy, OwnPolicy } from "../../src/domain/delivery-policy";
import { policy } from "../support/policy";

describe("settings that do not fit each other", () => {
  test.each<[Partial<DeliveryPolicy>, string[]]>([
    [{}, []],
    [{ maxAge: 381_000, deadline: 10_000 }, []],
    [{ maxAge: 380_999 }, ["The waits of it.schedule (381s) exceed max_age (380999ms)"]],
    [{ deadline: 300_000 }, []],
    [{ deadline: 300_001 }, ["it.deadline (300001ms) is longer than 5m"]],
    [{ schedule: [1], maxAge: 5_000, deadline: 5_001 }, ["it.deadline (5001ms) is longer than 5s"]],
    [{ expiry: [{ events: "*", after: 86_400_000 }] }, []],
    [
      {
        expiry: [
          { events: "a", after: 1 },
          { events: "*", after: 86_400_001 },
        ],
      },
      ["it.expiry[1].after (86400001ms) is longer than max_age (1d)"],
    ],
  ])("%o", (own, messages) => {
    expect([...policyFaults({ ...policy, ...own })].map(({ message }) => message("it"))).toEqual(messages);
  });
});

describe("what a tenant asks for beyond the operator's", () => {
  const forAll = { ...policy, rate: 10 };

  test.each<[OwnPolicy, string[]]>([
    [{}, []],
    [{ concurrency: 10, rate: 10, maxAge: policy.maxAge, deadline: policy.deadline, schedule: policy.schedule }, []],
    [{ concurrency: 1, rate: 1, maxAge: 1_000, deadline: 1, schedule: [1_000] }, []],
    [{ order: "none", events: ["a"], expiry: [{ events: "a", after: 1 }] }, []],
    [{ concurrency: 11 }, ["it.concurrency: at most 10"]],
    [{ rate: 11 }, ["it.rate: at most 10"]],
    [{ maxAge: policy.maxAge + 1 }, ["it.max_age: at most 1d"]],
    [{ deadline: policy.deadline + 1 }, ["it.deadline: at most 10s"]],
    [{ schedule: [1_000, 999] }, ["it.schedule: waits of 1s or longer"]],
    [{ schedule: Array<number>(6).fill(1_000) }, ["it.schedule: at most 5 waits"]],
  ])("%o", (own, messages) => {
    expect([...policyExcess(own, forAll)].map(({ message }) => message("it"))).toEqual(messages);
  });

  test("without a rate for all any rate is less", () => {
    expect([...policyExcess({ rate: 10_000 }, policy)]).toEqual([]);
  });
});
