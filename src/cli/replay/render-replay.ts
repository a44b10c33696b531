import type { ReplayAnswer } from "../../../plugins/history/replay-schemas";

/** What was queued again, and what was left alone for which reason. */
export function renderReplay({ queued, pending, unwanted, dry_run: dryRun }: ReplayAnswer): string[] {
  const deliveries = `${queued} ${queued === 1 ? "delivery" : "deliveries"}`;
  return [
    dryRun ? `Would be queued again: ${deliveries}.` : `Queued again: ${deliveries}.`,
    ...(pending === 0 ? [] : [`Left alone: ${pending} pending already.`]),
    ...(unwanted === 0 ? [] : [`Left alone: ${unwanted} whose hook is gone, or does not want such events.`]),
  ];
}
