import type { OwnPolicy } from "./delivery-policy";

/** A hook's own policy with the names that the configuration and the API have for it; times in milliseconds. */
export type DeliverySettings = Omit<OwnPolicy, "maxAge"> & { readonly max_age?: number };

export function fromSettings({ max_age: maxAge, ...rest }: DeliverySettings): OwnPolicy {
  return maxAge === undefined ? rest : { ...rest, maxAge };
}
