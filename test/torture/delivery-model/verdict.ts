/** What an answer means (delivery rules 1 and 2); `failed` is none. */
export type Verdict = "success" | "event" | "gone" | "endpoint";

export function verdictOf(status: number | "failed"): Verdict {
  if (status === "failed") return "endpoint";
  if (status >= 200 && status < 300) return "success";
  if (status === 410) return "gone";
  return [400, 413, 415, 422].includes(status) ? "event" : "endpoint";
}
