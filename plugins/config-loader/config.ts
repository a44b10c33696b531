import type { StaticDecode } from "@sinclair/typebox";
import type { AddressRange } from "../../src/domain/address-range";
import type { JsonObject } from "../../src/domain/json";
import type { Secret } from "../../src/domain/secret";
import type { Pointer } from "./pointer";
import type { ConfigSchema } from "./schema";
import type { SipSchema } from "./sip-schema";

/** Values that are left as they are: readable in themselves. */
type Leaf = string | number | boolean | undefined | Secret | AddressRange;

type DeepReadonly<T> = T extends Leaf
  ? T
  : T extends readonly (infer Item)[]
    ? readonly DeepReadonly<Item>[]
    : { readonly [Key in keyof T]: DeepReadonly<T[Key]> };

type Decoded = StaticDecode<typeof ConfigSchema>;

/** The `sip` block. Times are in milliseconds. */
export type SipConfig = DeepReadonly<StaticDecode<typeof SipSchema>>;

/** A module to load. */
export type PluginEntry = {
  readonly module: string;
  /** Its name here, in the place of its own. */
  readonly name?: string;
  /** As they were written: the module's schema checks them when it is loaded (`readOptions`). */
  readonly options: JsonObject;
  /** Where each value of the configuration was read from, by its pointer: for what is wrong with the options. */
  readonly places: ReadonlyMap<Pointer, string>;
};

/** A whole, checked configuration. `sip` is undefined when SIP is off. */
export type Config = DeepReadonly<Omit<Decoded, "sip" | "plugins">> & {
  readonly sip: SipConfig | undefined;
  readonly plugins: readonly PluginEntry[];
};
