import { Type, type SchemaOptions, type TProperties, type TSchema } from "@sinclair/typebox";
import { parseAddressRange } from "../../src/domain/address-range";
import { parseByteSize } from "../../src/domain/byte-size";
import { parseDuration } from "../../src/domain/duration";
import { parseHostPattern } from "../../src/domain/host-pattern";
import { parseInstant } from "../../src/domain/instant";
import { parseSecretSource, Secret } from "../../src/domain/secret";
import { BEARER_TOKEN, HEADER_VALUE, PASSWORD, PEM } from "./credential-formats";
import { BYTE_SIZE, DURATION, INSTANT, isPostgresUrl, SECRET, STORAGE, TOKEN } from "./general-formats";
import { HOOK_HOST, HOOK_RANGE, HOOK_SECRET, SIGNING_KEY, TENANT_HOST } from "./sip-formats";

/** What every setting says about itself, for the documentation too. */
export type SettingOptions = SchemaOptions & {
  readonly description: string;
  /** The environment variable that replaces the value. */
  readonly variable?: string;
};

/** A mapping that is there with its defaults when nothing of it was given. Unknown keys are errors. */
export const block = <T extends TProperties>(properties: T, options: SettingOptions) =>
  Type.Object(properties, { additionalProperties: false, default: {}, ...options });

/** A list's entry, or a block whose presence means something: without default. */
export const entry = <T extends TProperties>(properties: T, options: SettingOptions) =>
  Type.Object(properties, { additionalProperties: false, ...options });

export const list = <T extends TSchema>(items: T, options: SettingOptions) => Type.Array(items, options);

export const text = (format: string, options: SettingOptions) => Type.String({ format, ...options });

/** A text in the file, `read` into its value once the format has accepted it. */
export const parsed = <T>(format: string, options: SettingOptions, read: (text: string) => T | undefined) =>
  Type.Transform(text(format, options))
    .Decode((value): T => {
      const result = read(value);
      if (result === undefined) throw new TypeError(`The format ${format} accepted what cannot be read`);
      return result;
    })
    .Encode(() => {
      throw new TypeError("A configuration is not written back");
    });

/** Decoded to milliseconds. */
export const duration = (options: SettingOptions) => parsed(DURATION, options, parseDuration);
/** Decoded to bytes. */
export const byteSize = (options: SettingOptions) => parsed(BYTE_SIZE, options, parseByteSize);
export const hookHost = (options: SettingOptions) => parsed(HOOK_HOST, options, parseHostPattern);
export const tenantHost = (options: SettingOptions) => parsed(TENANT_HOST, options, parseHostPattern);
export const hookRange = (options: SettingOptions) => parsed(HOOK_RANGE, options, parseAddressRange);
export const secret = (options: SettingOptions) => parsed(SECRET, options, (value) => new Secret(value));
export const token = (options: SettingOptions) => parsed(TOKEN, options, (value) => new Secret(value));
export const hookSecret = (options: SettingOptions) => parsed(HOOK_SECRET, options, parseSecretSource);
export const signingKey = (options: SettingOptions) => parsed(SIGNING_KEY, options, parseSecretSource);
export const bearerToken = (options: SettingOptions) => parsed(BEARER_TOKEN, options, parseSecretSource);
export const password = (options: SettingOptions) => parsed(PASSWORD, options, parseSecretSource);
export const headerValue = (options: SettingOptions) => parsed(HEADER_VALUE, options, parseSecretSource);
export const pem = (options: SettingOptions) => parsed(PEM, options, parseSecretSource);
/** A name, or a URL, which may hold a password. */
export const storage = (options: SettingOptions) =>
  parsed(STORAGE, options, (value) => (isPostgresUrl(value) ? { postgres: new Secret(value) } : value));
/** Decoded to milliseconds since the epoch. */
export const instant = (options: SettingOptions) => parsed(INSTANT, options, parseInstant);
