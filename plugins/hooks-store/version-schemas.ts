import { Type } from "@sinclair/typebox";
import { t } from "elysia";
import { DeliveryEntry, OperatorDelivery } from "./policy-schemas";
import { CredentialsView, PreviousSecretView } from "./secret-schemas";

const MAX_VERSION = 2 ** 53 - 1;
const example = { host: "tenant-a.example.com", url: "https://hooks.tenant-a.example/livekit", auth_id: "tenant-a" };
const moved = { ...example, url: "https://hooks.tenant-a.example/v2" };

export const ListVersions = t.Object(
  {
    limit: t.Optional(t.Integer({ minimum: 1, maximum: 200, description: "How many; 50 by default." })),
    before: t.Optional(t.Integer({ minimum: 1, maximum: MAX_VERSION, description: "Only versions before this one." })),
    api_key: t.Optional(t.String({ description: "The token, when there is no Authorization header." })),
  },
  { additionalProperties: false },
);

export const VersionList = t.Object(
  {
    versions: t.Array(
      t.Object({
        version: t.Integer(),
        at: t.String({ description: "When it was made." }),
        who: t.String({ description: "The id of the credential that made it." }),
        added: t.Integer(),
        replaced: t.Integer(),
        removed: t.Integer(),
        hosts: t.Array(t.String(), { description: "The first 20 of the hosts concerned." }),
      }),
    ),
    next: t.Optional(t.Integer({ description: "What `before` is to be for the versions that follow." })),
  },
  {
    examples: [
      {
        versions: [
          {
            version: 2,
            at: "2030-01-31T12:00:00.000Z",
            who: "ops",
            added: 0,
            replaced: 1,
            removed: 0,
            hosts: [example.host],
          },
        ],
        next: 2,
      },
    ],
  },
);

const Version = t.Integer({ minimum: 0, maximum: MAX_VERSION, description: "0 is the empty table before the first." });

export const CompareVersions = t.Object({ a: Version, b: Version });

const StoredHookView = t.Object({
  host: t.String(),
  url: t.String(),
  auth_id: t.Optional(t.String()),
  secret: t.Optional(t.String({ description: "The reference to its own signing secret, if it has one." })),
  previous_secret: t.Optional(PreviousSecretView),
  credentials: t.Optional(CredentialsView),
  delivery: t.Optional(DeliveryEntry),
  operator_delivery: t.Optional(OperatorDelivery),
});

export const VersionDifference = t.Object(
  {
    from: t.Integer(),
    to: t.Integer(),
    hosts: t.Array(
      t.Object({ host: t.String(), before: t.Optional(StoredHookView), after: t.Optional(StoredHookView) }),
      { description: "Hosts that differ; `before` or `after` is absent where the host had no hook." },
    ),
  },
  { examples: [{ from: 1, to: 2, hosts: [{ host: example.host, before: example, after: moved }] }] },
);

export const RollBack = t.Object(
  // TypeBox's own: Elysia's integers take "1" as well.
  { version: Type.Integer({ minimum: 0, maximum: MAX_VERSION, description: "The version to go back to." }) },
  { additionalProperties: false, examples: [{ version: 1 }] },
);
