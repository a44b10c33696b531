import { Elysia, t } from "elysia";
import type { Clock } from "../../src/contracts/clock";
import { SecretUnavailable } from "../../src/contracts/read-secret";
import { AppError } from "../../src/domain/errors";
import { errorResponses } from "../http-errors";
import type { ListedKey, SigningKeys } from "./signing-keys";

export { createSigningKeys, type SigningKeys } from "./signing-keys";

export type SigningKeyOptions = {
  readonly clock: Clock;
  readonly keys: SigningKeys;
};

const KeyList = t.Object(
  {
    keys: t.Array(
      t.Object({
        key: t.String({ description: "The public key as Standard Webhooks writes it: `whpk_` and base64." }),
        algorithm: t.Literal("ed25519"),
        until: t.Optional(
          t.String({ format: "date-time", description: "A key that is being replaced signs until then." }),
        ),
      }),
      { description: "The newest first. A delivery is signed with each of them." },
    ),
  },
  { examples: [{ keys: [{ key: "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=", algorithm: "ed25519" }] }] },
);

/**
 * `GET /sip/signing-keys`: the public keys that deliveries are signed with (`v1a,…` in `webhook-signature`), for anybody: a
 * receiver that trusts this address needs no shared secret.
 */
export function signingKey({ clock, keys }: SigningKeyOptions) {
  return new Elysia({ name: "sayna-sip/signing-key", tags: ["signatures"] }).get(
    "/sip/signing-keys",
    async ({ set }) => {
      const listed = await keys(clock.now()).catch((error: unknown) => {
        if (!(error instanceof SecretUnavailable)) throw error;
        throw new AppError("signing_key_unavailable", { cause: error, headers: { "retry-after": "10" } });
      });
      if (listed.length === 0) throw new AppError("signing_key_not_set");
      set.headers["cache-control"] = "public, max-age=60";
      return { keys: listed.map(toView) };
    },
    {
      response: {
        200: KeyList,
        ...errorResponses(["sip_not_configured", "signing_key_not_set", "signing_key_unavailable"]),
      },
      detail: {
        summary: "The public keys that deliveries are signed with",
        description:
          "Standard Webhooks' asymmetric signatures: a delivery's `webhook-signature` has a `v1a,<base64>`, an ed25519 " +
          "signature over `{webhook-id}.{webhook-timestamp}.{body}`. When none fits the keys you have, fetch this again. " +
          "All hooks share these keys: see from the event that it is for you.",
        security: [],
      },
    },
  );
}

const toView = ({ key, until }: ListedKey) => ({
  key: key.publicKey,
  algorithm: "ed25519" as const,
  ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
});
