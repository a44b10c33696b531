import { afterAll, beforeAll, describe, expect, setSystemTime, test } from "bun:test";
import * as fc from "fast-check";
import { WebhookReceiver } from "livekit-server-sdk";
import { Secret } from "../../../../src/domain/secret";
import { createTokenVerifier } from "../../../../plugins/webhook-forwarder/receiver/verify-token";
import { NOW_MS } from "./odd-claims";
import { API_KEY, API_SECRET } from "./sign-token";
import { cookToken, tokenRecipe } from "./token-recipes";

const RUNS = 6000;

/** How often each verdict must be reached for the comparison to mean something. */
const OFTEN_ENOUGH = {
  ok: 1000,
  malformed: 1000,
  algorithm: 100,
  claims: 100,
  "unknown-key": 100,
  signature: 100,
  expired: 100,
  "not-yet-valid": 100,
  "body-hash": 100,
  missing: 5,
  "only the SDK": 20,
};

const verifier = createTokenVerifier({
  keys: [{ apiKey: API_KEY, apiSecret: new Secret(API_SECRET) }],
  now: () => NOW_MS,
});

function ours(token: string, body: string): string {
  const verdict = verifier.checkToken(token);
  const judged = verdict.kind === "ok" ? verifier.checkBody(verdict, Buffer.from(body)) : verdict;
  return judged.kind === "ok" ? "ok" : judged.reason;
}

const sdk = new WebhookReceiver(API_KEY, API_SECRET);

async function sdkAccepts(token: string, body: string): Promise<boolean> {
  try {
    await sdk.receive(body, token, false, 60);
    return true;
  } catch {
    return false;
  }
}

describe("the SDK's WebhookReceiver with clockTolerance 60", () => {
  // jose reads the time from `new Date()`: both sides are given the same one.
  beforeAll(() => {
    setSystemTime(new Date(NOW_MS));
  });
  afterAll(() => {
    setSystemTime();
  });

  test(`says the same of ${RUNS} good and broken tokens, but for HS384 and HS512`, async () => {
    const verdicts = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(tokenRecipe, async (recipe) => {
        const token = cookToken(recipe);
        const verdict = ours(token, recipe.body);
        const accepted = await sdkAccepts(token, recipe.body);
        // The one difference that is meant: LiveKit signs with HS256 only.
        const onlyTheSdk = accepted && verdict === "algorithm";
        const key = onlyTheSdk ? "only the SDK" : verdict;
        verdicts.set(key, (verdicts.get(key) ?? 0) + 1);
        if (onlyTheSdk) expect(recipe.header).toMatch(/"HS(384|512)"/);
        else expect({ token, accepted: verdict === "ok" }).toEqual({ token, accepted });
      }),
      // The seed makes a failure repeatable; another one is as good.
      { numRuns: RUNS, seed: 20_261_121, endOnFailure: true },
    );
    for (const [verdict, atLeast] of Object.entries(OFTEN_ENOUGH)) {
      expect({ verdict, often: (verdicts.get(verdict) ?? 0) >= atLeast }).toEqual({ verdict, often: true });
    }
  }, 240_000);
});
