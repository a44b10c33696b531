import { t, type Static } from "elysia";
import { DeliveryEntry, OperatorDelivery } from "./policy-schemas";
import { CredentialsEntry, CredentialsView, PreviousSecretEntry, PreviousSecretView } from "./secret-schemas";

const Host = t.String({
  minLength: 1,
  maxLength: 1024,
  description: "Host name, IP address, or a wildcard such as `*.example.com`; upper and lower case are the same.",
  examples: ["tenant-a.example.com"],
});

const AuthId = t.String({
  minLength: 1,
  maxLength: 256,
  // A control character would end up in logs and in rooms' metadata.
  pattern: "^[^\\x00-\\x1f\\x7f]+$",
  description: "The tenant that owns the hook and the rooms of calls to its host.",
  examples: ["tenant-a"],
});

export const HookEntry = t.Object(
  {
    host: Host,
    url: t.String({
      minLength: 1,
      maxLength: 2048,
      description: "Where events go: an absolute https:// URL.",
      examples: ["https://hooks.tenant-a.example/livekit"],
    }),
    auth_id: t.Optional(AuthId),
    secret: t.Optional(
      t.String({
        minLength: 1,
        maxLength: 1024,
        description:
          "Reference to the signing secret, `env:NAME` or `file:PATH`, one that the operator lists: for a tenant in its " +
          "credential's `secret_refs`, for an operator there or in `sip.allowed_secret_refs`. " +
          "Without it the global hook secret signs.",
        examples: ["env:TENANT_A_SECRET"],
      }),
    ),
    previous_secret: t.Optional(PreviousSecretEntry),
    credentials: t.Optional(CredentialsEntry),
    delivery: t.Optional(DeliveryEntry),
  },
  { additionalProperties: false },
);

export const UpdateHooks = t.Object(
  { hooks: t.Array(HookEntry, { maxItems: 10_000, description: "Each host once." }) },
  {
    additionalProperties: false,
    examples: [
      { hooks: [{ host: "tenant-a.example.com", url: "https://hooks.tenant-a.example/livekit", auth_id: "tenant-a" }] },
    ],
  },
);

export const DeleteHooks = t.Object(
  { hosts: t.Array(Host, { minItems: 1, maxItems: 10_000 }) },
  { additionalProperties: false, examples: [{ hosts: ["tenant-a.example.com"] }] },
);

export const PauseHooks = t.Object(
  { hosts: t.Array(Host, { minItems: 1, maxItems: 10_000 }) },
  { additionalProperties: false, examples: [{ hosts: ["tenant-a.example.com"] }] },
);

export const BreakerView = t.Object(
  {
    state: t.Literal("open"),
    reason: t.String({ examples: ["5 attempts in a row failed"] }),
    since: t.String({ format: "date-time" }),
    next_probe: t.Optional(
      t.String({
        format: "date-time",
        description: "When it may be tried again, if there is something to send; absent while a probe is under way.",
      }),
    ),
  },
  {
    description:
      "The endpoint is taken not to work: what there is to send waits, and one probe at a time goes out. Absent while it is " +
      "taken to work, as it is after a restart.",
  },
);

export const HookView = t.Object({
  host: t.String(),
  url: t.String(),
  auth_id: t.Optional(t.String()),
  secret: t.Optional(t.String({ description: "The reference to its own signing secret, if it has one." })),
  previous_secret: t.Optional(PreviousSecretView),
  credentials: t.Optional(CredentialsView),
  delivery: t.Optional(DeliveryEntry),
  operator_delivery: t.Optional(OperatorDelivery),
  source: t.UnionEnum(["config", "runtime"], {
    description: "From the configuration (cannot be changed here), or added by this API.",
  }),
  state: t.UnionEnum(["active", "paused"], {
    description: "Of a paused hook the events wait until it is resumed or replaced.",
  }),
  paused: t.Optional(
    t.Object({
      reason: t.String({ description: "Somebody paused it, or it answered 410." }),
      since: t.String({ format: "date-time" }),
    }),
  ),
  breaker: t.Optional(BreakerView),
});

export const HookList = t.Object(
  { hooks: t.Array(HookView) },
  {
    examples: [
      {
        hooks: [
          {
            host: "tenant-a.example.com",
            url: "https://hooks.tenant-a.example/livekit",
            auth_id: "tenant-a",
            source: "runtime",
            state: "active",
          },
        ],
      },
    ],
  },
);

export type BreakerView = Static<typeof BreakerView>;
export type HookEntry = Static<typeof HookEntry>;
export type HookView = Static<typeof HookView>;
