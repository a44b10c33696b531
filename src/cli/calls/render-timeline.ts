import type { Colour, Paint } from "../../demo/paint";
import { visible } from "../visible";
import type { TimelineItem } from "./timeline-item";

/** Colours of the hooks' columns, in the order in which they come into the call. */
const HOOK_COLOURS: readonly Colour[] = ["cyan", "magenta", "blue", "yellow"];
const LABELS = { livekit: "LiveKit", service: "sayna-sip" } as const;
const MARKS = { event: "->", kept: "| ", queued: "| ", attempt: "<-", wait: "..", gap: "##", pending: "??" } as const;

/**
 * A line for each item: the time since the call's beginning, whose it is, what it is.
 *
 * @param beganAt ms since the epoch.
 * @param width of the column that says whose it is; as wide as its widest without it.
 */
export function renderTimeline(
  items: readonly TimelineItem[],
  { beganAt, paint, width }: { readonly beganAt: number; readonly paint: Paint; readonly width?: number },
): string[] {
  const hosts = [...new Set(items.flatMap(({ who }) => (who.kind === "hook" ? [who.host] : [])))];
  const labels = items.map(({ who }) => visible(who.kind === "hook" ? who.host : LABELS[who.kind]));
  const column = width ?? Math.max(0, ...labels.map((label) => Bun.stringWidth(label)));
  return items.map((item, i) => {
    const label = labels[i] ?? "";
    const padded = `${label}${" ".repeat(Math.max(0, column - Bun.stringWidth(label)))}`;
    const seconds = `${item.at < beganAt ? "-" : "+"}${(Math.abs(item.at - beganAt) / 1000).toFixed(3)}`.padStart(10);
    return `${paint("dim", seconds)}  ${paint(colourOf(item, hosts), padded)}  ${MARKS[item.kind]} ${paintText(item, paint)}`;
  });
}

function colourOf({ who }: TimelineItem, hosts: readonly string[]): Colour {
  if (who.kind !== "hook") return who.kind === "livekit" ? "bold" : "dim";
  return HOOK_COLOURS[hosts.indexOf(who.host) % HOOK_COLOURS.length] ?? "cyan";
}

function paintText({ text, mood, kind }: TimelineItem, paint: Paint): string {
  const shown = visible(text);
  if (mood !== "neutral") return paint(mood === "good" ? "green" : "red", shown);
  return kind === "wait" || kind === "pending" ? paint("yellow", shown) : shown;
}
