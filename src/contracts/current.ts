/**
 * A setting as it is now. A reload of the configuration may replace it between two calls, so whoever was handed one asks for
 * the value each time it is used, and keeps nothing that was made of it.
 */
export type Current<Value> = () => Value;

/** A setting that stays as it is. */
export const fixed =
  <Value>(value: Value): Current<Value> =>
  () =>
    value;
