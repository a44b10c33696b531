import type { Logger } from "../../src/contracts/logger";

export type LogLine = { level: keyof Logger; fields: Record<string, unknown>; message: string };

/** A logger that keeps its lines. */
export function recordingLog(): Logger & { readonly lines: LogLine[]; text(): string } {
  const lines: LogLine[] = [];
  const at = (level: keyof Logger) => (fields: object, message: string) => {
    lines.push({ level, fields: { ...fields }, message });
  };
  return {
    lines,
    text: () => JSON.stringify(lines, (_, value: unknown) => (value instanceof Error ? String(value.stack) : value)),
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
  };
}
