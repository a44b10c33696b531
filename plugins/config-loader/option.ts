import { PATH } from "./general-formats";
import { byteSize, duration, secret, text, type SettingOptions } from "./schema-parts";

/**
 * What a plugin's options can be beside TypeBox's own types (`Type.String`, `Type.Integer`, `Type.Boolean`,
 * `Type.Array`, `Type.Object`, `Type.Union` of literals, `Type.Optional`). Each takes `description`, and a `default` as it
 * would be written in the configuration.
 *
 * @example
 * const options = Type.Object({
 *   file: Option.path({ description: "The table." }),
 *   token: Type.Optional(Option.secret({ description: "Sent as a bearer token: a literal, env:NAME or file:PATH." })),
 *   keep: Option.duration({ description: "How long an answer is used.", default: "5m" }),
 * });
 */
export const Option = {
  /** Written as `250ms`, `10s`, `5m`, `24h` or `7d`, above 0; the plugin gets milliseconds. */
  duration,
  /** Written as `512B`, `64KiB`, `10MiB` or `2GiB`; the plugin gets bytes. */
  byteSize,
  /** A literal, `env:NAME` or `file:PATH`, read at start; the plugin gets a `Secret`, whose `reveal()` gives the value. */
  secret,
  /** A file or directory, from the configuration file's directory on; the plugin gets it absolute. It need not be there. */
  path: (options: SettingOptions) => text(PATH, options),
} as const;
