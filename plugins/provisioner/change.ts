import type { JsonObject } from "../../src/domain/json";

/** What LiveKit has and what it is to have. */
export type Difference = { readonly from: unknown; readonly to: unknown };
/** By field. It is logged, so only fields that are ours, never the rest. */
export type Differences = Readonly<Record<string, Difference>>;

/** A request that makes a trunk or rule as configured. */
export type Change = {
  readonly by: "update" | "replace";
  readonly request: JsonObject;
  readonly differences: Differences;
  /** True for a change that ties the rule to a trunk, which another instance may withdraw at this moment. */
  readonly tiesTrunk?: true;
};

export const difference = (from: unknown, to: unknown): Difference => ({ from, to });
