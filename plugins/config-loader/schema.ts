import { Type } from "@sinclair/typebox";
import { ID, LISTEN_HOST, LIVEKIT_URL, PLAIN_TEXT, PLUGIN_NAME_FORMAT } from "./general-formats";
import { block, entry, list, secret, storage, tenantHost, text, token } from "./schema-parts";
import { SECRET_REFERENCE } from "./sip-formats";
import { RetentionSchema } from "./retention-schema";
import { SipSchema } from "./sip-schema";

const ServerSchema = block(
  {
    host: text(LISTEN_HOST, { description: "Address to listen on.", variable: "HOST", default: "127.0.0.1" }),
    port: Type.Integer({
      description: "Port to listen on; 0 takes any free one.",
      variable: "PORT",
      default: 3001,
      minimum: 0,
      maximum: 65_535,
    }),
    management: Type.Optional(
      entry(
        {
          host: text(LISTEN_HOST, {
            description: "Address to listen on for everything but LiveKit's webhooks and the health checks.",
            variable: "MANAGEMENT_HOST",
            default: "127.0.0.1",
          }),
          port: Type.Integer({
            description: "Port to listen on for these; 0 takes any free one.",
            variable: "MANAGEMENT_PORT",
            minimum: 0,
            maximum: 65_535,
          }),
        },
        { description: "A second port, which takes the API, the metrics and the documentation off the first one." },
      ),
    ),
  },
  { description: "The HTTP server." },
);

const LivekitSchema = block(
  {
    url: text(LIVEKIT_URL, { description: "LiveKit's URL.", variable: "LIVEKIT_URL", default: "ws://localhost:7880" }),
    api_key: Type.Optional(text(ID, { description: "LiveKit's API key.", variable: "LIVEKIT_API_KEY" })),
    api_secret: Type.Optional(
      secret({
        description: "Its secret: a literal, `env:NAME` or `file:PATH`, read at start.",
        variable: "LIVEKIT_API_SECRET",
      }),
    ),
    webhook_keys: list(
      entry(
        {
          api_key: text(ID, { description: "An API key that signs webhooks." }),
          api_secret: secret({ description: "Its secret: a literal, `env:NAME` or `file:PATH`, read at start." }),
        },
        { description: "One more key." },
      ),
      {
        description: "Keys accepted on webhooks beside the one above: for a rotation, or for several projects.",
        variable: "LIVEKIT_WEBHOOK_KEYS_JSON",
        default: [],
      },
    ),
  },
  { description: "The LiveKit deployment. Without a key nothing is provisioned and webhooks are answered 503." },
);

const ApiSecretSchema = entry(
  {
    id: text(ID, { description: "Who it is, in logs; a tenant's is its auth_id." }),
    secret: token({ description: "What the caller sends: a literal, `env:NAME` or `file:PATH`, read at start." }),
    role: Type.Union([Type.Literal("operator"), Type.Literal("tenant")], {
      description: "An operator may do everything; a tenant reaches its own hooks only.",
      default: "operator",
    }),
    hosts: list(tenantHost({ description: "A host, or a wildcard." }), {
      description: "Hosts that a tenant may add hooks for; none given: none. Not for operators.",
      default: [],
    }),
    secret_refs: list(text(SECRET_REFERENCE, { description: "`env:NAME` or `file:PATH`." }), {
      description:
        "References that this tenant's hooks may name as a secret or credential, whoever adds them. Not for operators.",
      default: [],
    }),
  },
  { description: "One credential." },
);

const AuthSchema = block(
  {
    required: Type.Boolean({
      description: "Whether the management API asks for a credential.",
      variable: "AUTH_REQUIRED",
      default: false,
    }),
    api_secrets: list(ApiSecretSchema, {
      description: "The credentials. AUTH_API_SECRET and AUTH_API_SECRET_ID stand for a single operator's.",
      variable: "AUTH_API_SECRETS_JSON",
      default: [],
    }),
  },
  { description: "Who may use the management API." },
);

const PluginSchema = entry(
  {
    module: text(PLAIN_TEXT, {
      description: "A path, which begins at the configuration file's directory, or a package's name.",
    }),
    name: Type.Optional(
      text(PLUGIN_NAME_FORMAT, {
        description: "Its name here, in the place of its own: for a module that is there twice.",
      }),
    ),
    options: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: "Its own options; its documentation has them.",
      }),
    ),
  },
  { description: "One module." },
);

const LogSchema = block(
  {
    level: Type.Union([Type.Literal("debug"), Type.Literal("info"), Type.Literal("warn"), Type.Literal("error")], {
      description: "The least that is logged; `info` has a line for each delivery and each call.",
      variable: "LOG_LEVEL",
      default: "info",
    }),
    format: Type.Union([Type.Literal("auto"), Type.Literal("json"), Type.Literal("pretty")], {
      description: "`auto` is `pretty` in a terminal, and else `json`.",
      variable: "LOG_FORMAT",
      default: "auto",
    }),
  },
  { description: "The log, on standard output." },
);

/** The whole configuration: shape, defaults, the rules of each single value, the variables and the descriptions. */
export const ConfigSchema = block(
  {
    server: ServerSchema,
    data_dir: text(PLAIN_TEXT, { description: "Where the database is kept.", variable: "DATA_DIR", default: "./data" }),
    storage: storage({
      description:
        "The storage: `sqlite`, `postgres://user:password@host:port/database` for several instances, or the name of one that a plugin brings.",
      variable: "STORAGE_URL",
      default: "sqlite",
    }),
    retention: RetentionSchema,
    livekit: LivekitSchema,
    auth: AuthSchema,
    sip: Type.Optional(SipSchema),
    log: LogSchema,
    plugins: list(PluginSchema, {
      description:
        "Modules to load: matchers, storages. An entry that is only a path or name is a module without options.",
      default: [],
    }),
  },
  { description: "The configuration of sayna-sip." },
);
