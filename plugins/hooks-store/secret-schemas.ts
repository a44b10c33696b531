import { t } from "elysia";
import { INSTANT_PATTERN } from "../../src/domain/instant";

const reference = (description: string) => t.String({ minLength: 1, maxLength: 1024, description });

const AllowedReference = reference("Reference to the value: `env:NAME` or `file:PATH`, one that the operator lists.");

/** The members of a hook's credentials; `value` is the schema of their secret parts. */
const credentialsWith = <Value extends ReturnType<typeof reference>>(value: Value) =>
  t.Object(
    {
      bearer: t.Optional(value),
      basic: t.Optional(
        t.Object(
          { username: t.String({ maxLength: 256, description: "Without a colon." }), password: value },
          { additionalProperties: false },
        ),
      ),
      header: t.Optional(
        t.Object(
          {
            name: t.String({ minLength: 1, maxLength: 100, description: "None of those that are set by the service." }),
            value,
          },
          { additionalProperties: false },
        ),
      ),
      client_certificate: t.Optional(
        t.Object(
          { certificate: value, key: value },
          { additionalProperties: false, description: "PEM, for mutual TLS." },
        ),
      ),
    },
    {
      additionalProperties: false,
      description:
        "What the requests carry beside the signature. The values are references; what they stand for is read for each " +
        "request and never shown.",
      examples: [{ bearer: "env:TENANT_A_TOKEN" }],
    },
  );

export const CredentialsEntry = credentialsWith(AllowedReference);

export const CredentialsView = credentialsWith(
  reference("The reference, or `literal` for a value that is written in the configuration."),
);

export const PreviousSecretEntry = t.Object(
  {
    secret: AllowedReference,
    until: t.String({ pattern: INSTANT_PATTERN, description: "When it ends.", examples: ["2030-01-31T12:00:00Z"] }),
  },
  {
    additionalProperties: false,
    description: "The secret that `secret` replaces: until its end both make Standard Webhooks signatures.",
  },
);

export const PreviousSecretView = t.Object({
  secret: reference("The reference, or `literal` for a value that is written in the configuration."),
  until: t.String({ description: "When it ends." }),
});
