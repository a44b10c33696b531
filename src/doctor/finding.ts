/** What is looked at, in the order in which it is told. */
export const AREAS = [
  "configuration",
  "storage",
  "service",
  "livekit",
  "clock",
  "trunk and rule",
  "hooks",
  "host",
  "live",
] as const;

export type Area = (typeof AREAS)[number];

/** `problem`: calls, or events of calls, are lost. `skipped`: could not be looked at, because of something that is told. */
export type Severity = "ok" | "warning" | "problem" | "skipped";

export type Finding = {
  readonly area: Area;
  readonly severity: Severity;
  /** For programs: stays the same whatever the words are. */
  readonly code: string;
  /** One sentence or two. */
  readonly what: string;
  /** Why it matters. */
  readonly why?: string;
  /** The command or setting that mends it. */
  readonly mend?: string;
};

/** What a finding says beside its area and severity. */
export type FindingText = { readonly what: string; readonly why: string; readonly mend: string };

export const ok = (area: Area, code: string, what: string): Finding => ({ area, severity: "ok", code, what });
export const skipped = (area: Area, what: string): Finding => ({ area, severity: "skipped", code: "skipped", what });
export const warning = (area: Area, code: string, text: FindingText): Finding => ({
  area,
  severity: "warning",
  code,
  ...text,
});
export const problem = (area: Area, code: string, text: FindingText): Finding => ({
  area,
  severity: "problem",
  code,
  ...text,
});
