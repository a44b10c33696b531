import type { StaticDecode } from "@sinclair/typebox";
import type { AddressRange } from "../../src/domain/address-range";
import type { Secret } from "../../src/domain/secret";
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

/** A whole, checked configuration. `sip` is undefined when SIP is off. */
export type Config = DeepReadonly<Omit<Decoded, "sip">> & { readonly sip: SipConfig | undefined };
