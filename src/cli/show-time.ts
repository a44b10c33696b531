/** `2026-11-21 22:50:01.052Z`: an API's time, for reading. */
export const showTime = (iso: string): string => iso.replace("T", " ");

/** `83 ms`, `12.4 s`, `2 min 5 s`, `3 h 10 min`: at most two units. */
export function showLength(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const [minutes, seconds] = [Math.floor(ms / 60_000), Math.floor((ms % 60_000) / 1000)];
  if (minutes < 60) return `${minutes} min ${seconds} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
