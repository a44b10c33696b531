import { readFileSync } from "node:fs";

/** The resident memory of a process in MB (Linux); NaN where it cannot be read. */
export function residentMemory(pid: number): number {
  try {
    const [, kB] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Math.round(Number(kB) / 1024);
  } catch {
    return Number.NaN;
  }
}
