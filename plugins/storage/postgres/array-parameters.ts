import type { SQL, SQLArrayParameter } from "bun";

/** For `any(…)` and `unnest(…)`. */
export function bigints(sql: Pick<SQL, "array">, values: Iterable<number | string>): SQLArrayParameter {
  return sql.array([...values], "BIGINT");
}

export function texts(sql: Pick<SQL, "array">, values: Iterable<string>): SQLArrayParameter {
  return sql.array([...values], "TEXT");
}
