import { Type } from "@sinclair/typebox";
import { ID } from "./general-formats";
import { duration, entry, hookHost, hookRange, hookSecret, instant, list, signingKey, text } from "./schema-parts";
import { RouteSchema } from "./route-schema";
import { CredentialsSchema } from "./credentials-schema";
import { DeliverySchema, HookDeliverySchema } from "./delivery-schema";
import { ALLOWED_ADDRESS, HEADER_NAME, HOOK_URL, MATCHER_NAME, ROOM_PREFIX, SECRET_REFERENCE } from "./sip-formats";

export const HookSchema = entry(
  {
    host: hookHost({
      description:
        "The called host: a name, an IP address, or `*.` and a name of two labels or more. Case is the same.",
    }),
    url: text(HOOK_URL, { description: "Where the call's events go: an https:// URL.", maxLength: 2048 }),
    auth_id: Type.Optional(
      text(ID, { description: "The tenant that owns the hook, and the rooms of calls to its host." }),
    ),
    secret: Type.Optional(
      hookSecret({ description: "Signs instead of hook_secret: a literal, `env:NAME` or `file:PATH`." }),
    ),
    previous_secret: Type.Optional(
      entry(
        {
          secret: hookSecret({ description: "The old secret: a literal, `env:NAME` or `file:PATH`." }),
          until: instant({ description: "When it ends: `2030-01-31T12:00:00Z`." }),
        },
        {
          description: "The secret that `secret` replaces (or `hook_secret` does), which signs as well until its end.",
        },
      ),
    ),
    credentials: Type.Optional(CredentialsSchema),
    delivery: Type.Optional(HookDeliverySchema),
  },
  { description: "One entry of the forwarding table. It cannot be changed at run time." },
);

export const SipSchema = entry(
  {
    room_prefix: text(ROOM_PREFIX, {
      description: "LiveKit rooms whose names begin with it are SIP calls. Letters, digits, - and _. Required.",
      variable: "SIP_ROOM_PREFIX",
    }),
    allowed_addresses: list(text(ALLOWED_ADDRESS, { description: "An IPv4 or IPv6 address or CIDR block." }), {
      description: "Where calls may come from; LiveKit enforces it. Cannot be empty unless provision is false.",
      variable: "SIP_ALLOWED_ADDRESSES",
      default: [],
    }),
    max_participants: Type.Integer({
      description: "Participants per SIP room.",
      variable: "SIP_MAX_PARTICIPANTS",
      default: 3,
      minimum: 1,
      maximum: 4_294_967_295,
    }),
    provision: Type.Boolean({
      description: "Make LiveKit's trunk and dispatch rule; false leaves them to somebody else.",
      variable: "SIP_PROVISION",
      default: true,
    }),
    set_room_owner: Type.Boolean({
      description: "Write the hook's auth_id into the metadata of its rooms.",
      variable: "SIP_SET_ROOM_OWNER",
      default: true,
    }),
    host_headers: list(text(HEADER_NAME, { description: "The name of a SIP header." }), {
      description:
        "Headers that the called host is read from; the first one that is there and parses counts. " +
        "A proxy in front that sets one of them must remove a caller's own.",
      variable: "SIP_HOST_HEADERS",
      default: ["To"],
      minItems: 1,
    }),
    matchers: list(text(MATCHER_NAME, { description: "A matcher's name." }), {
      description: "What decides which hook a call belongs to, in this order.",
      default: ["exact-host", "wildcard-host"],
      minItems: 1,
    }),
    matcher_deadline: duration({
      description:
        "How long matchers of plugins may take for one event, together; at most 10s. LiveKit, and the room's next events, " +
        "wait for them. After it the participant stays undecided until its next event.",
      default: "2s",
    }),
    routes: list(RouteSchema, {
      description:
        "Calls that belong to a hook by something else than their host. Each needs its matcher in matchers. They are the " +
        "operator's: no hook that is added at run time can ask for such calls.",
      default: [],
    }),
    hook_secret: Type.Optional(
      hookSecret({
        description:
          "Signs deliveries of hooks without a secret of their own: a literal, `env:NAME` or `file:PATH`. " +
          "One that begins with `whsec_` also gives Standard Webhooks signatures.",
        variable: "SIP_HOOK_SECRET",
      }),
    ),
    previous_hook_secret: Type.Optional(
      entry(
        {
          secret: hookSecret({
            description: "The old secret: a literal, `env:NAME` or `file:PATH`.",
            variable: "SIP_PREVIOUS_HOOK_SECRET",
          }),
          until: instant({
            description: "When it ends: `2030-01-31T12:00:00Z`.",
            variable: "SIP_PREVIOUS_HOOK_SECRET_UNTIL",
          }),
        },
        {
          description:
            "The secret that hook_secret replaces. Until its end both make Standard Webhooks signatures; " +
            "X-Sayna-Signature is the new one's alone.",
        },
      ),
    ),
    signing_key: Type.Optional(
      signingKey({
        description:
          "An ed25519 key, `whsk_…`: a literal, `env:NAME` or `file:PATH`. Adds `v1a` signatures, which receivers verify " +
          "with the public key of GET /sip/signing-keys, without a shared secret.",
        variable: "SIP_SIGNING_KEY",
      }),
    ),
    previous_signing_key: Type.Optional(
      entry(
        {
          key: signingKey({
            description: "The old key: a literal, `env:NAME` or `file:PATH`.",
            variable: "SIP_PREVIOUS_SIGNING_KEY",
          }),
          until: instant({
            description: "When it ends: `2030-01-31T12:00:00Z`.",
            variable: "SIP_PREVIOUS_SIGNING_KEY_UNTIL",
          }),
        },
        { description: "The key that signing_key replaces: signs as well, and is listed, until its end." },
      ),
    ),
    hooks: list(HookSchema, { description: "The forwarding table.", variable: "SIP_HOOKS_JSON", default: [] }),
    allowed_hook_ranges: list(hookRange({ description: "An address or CIDR block." }), {
      description: "Private addresses that hooks added at run time may reach all the same.",
      variable: "SIP_ALLOWED_HOOK_RANGES",
      default: [],
    }),
    allowed_secret_refs: list(text(SECRET_REFERENCE, { description: "`env:NAME` or `file:PATH`." }), {
      description:
        "References that hooks added at run time by an operator may name as a secret or credential. " +
        "A tenant may name those of its own credential's secret_refs only.",
      variable: "SIP_ALLOWED_SECRET_REFS",
      default: [],
    }),
    delivery: DeliverySchema,
  },
  { description: "SIP. Without this block and without any SIP_ variable SIP is off." },
);
