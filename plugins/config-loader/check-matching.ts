import { MATCHER_OF } from "../../src/domain/call-route";
import { formatDuration, parseDuration } from "../../src/domain/duration";
import { normalizeNumber } from "../../src/domain/phone-number";
import { child, itemsAt, label, valueAt, type Pointer } from "./pointer";
import { quote } from "./quote";
import { repeated } from "./repeated";
import type { Report } from "./report";

const CRITERIA = ["number", "number_prefix", "trunk", "attribute"] as const;

/**
 * LiveKit drops what waits in a room's queue for 30 s, and a caller's joining and leaving may each wait this long; a proxy in
 * front gives up after 30 to 60 s.
 */
const LONGEST_DEADLINE_MS = 10_000;

/** What decides which hook a call belongs to: its time, and the entries of `sip.routes` to each other and to `sip.matchers`. */
export function checkMatching(tree: unknown, report: Report): void {
  checkDeadline(tree, report);
  const matchers = itemsAt(tree, "/sip/matchers").map(({ value }) => value);
  const routes = itemsAt(tree, "/sip/routes");
  for (const { at } of routes) checkRoute(tree, at, matchers, report);
  for (const { at, key } of repeated(routes.map((route) => ({ at: route.at, key: keyOf(tree, route.at) })))) {
    report.add(at, `Two entries of sip.routes are for the same calls (${key})`, "Keep one.");
  }
}

function checkDeadline(tree: unknown, report: Report): void {
  const at = "/sip/matcher_deadline";
  const value = valueAt(tree, at);
  const ms = typeof value === "string" ? parseDuration(value) : undefined;
  if (ms === undefined || ms <= LONGEST_DEADLINE_MS) return;
  const message = `${label(at)} (${formatDuration(ms)}) is longer than ${formatDuration(LONGEST_DEADLINE_MS)}`;
  report.add(at, message, "Use at most 10s: LiveKit waits for the answer, and drops what has waited for 30 s.");
}

function checkRoute(tree: unknown, at: Pointer, matchers: readonly unknown[], report: Report): void {
  const given = CRITERIA.filter((name) => valueAt(tree, child(at, name)) !== undefined);
  const [criterion, second] = given;
  if (criterion === undefined || second !== undefined) {
    const message = criterion === undefined ? "names no calls" : `names ${given.join(" and ")}`;
    report.add(at, `${label(at)} ${message}`, `Write one of ${CRITERIA.join(", ")}; for more of them write a matcher.`);
    return;
  }
  const hasValue = valueAt(tree, child(at, "value")) !== undefined;
  if (hasValue !== (criterion === "attribute")) {
    const message = hasValue ? `has a value without an attribute` : `has an attribute without its value`;
    report.add(
      at,
      `${label(at)} ${message}`,
      "attribute and value belong together: attribute: sip.h.x-tenant, value: blue.",
    );
  }
  const matcher = MATCHER_OF[criterion];
  // Fails closed because the calls would silently go by their host alone, to whoever has that.
  if (matchers.includes(matcher) || report.has("/sip/matchers")) return;
  report.add(
    at,
    `${label(at)} is never looked at: sip.matchers does not name ${matcher}`,
    `Add it: what comes first decides, for instance [${matcher}, exact-host, wildcard-host].`,
  );
}

function keyOf(tree: unknown, at: Pointer): string | undefined {
  for (const name of CRITERIA) {
    const value = valueAt(tree, child(at, name));
    if (typeof value !== "string") continue;
    if (name === "attribute") return `${name} ${quote(value)} ${quote(String(valueAt(tree, child(at, "value"))))}`;
    return `${name} ${quote(name === "trunk" ? value : (normalizeNumber(value) ?? value))}`;
  }
  return undefined;
}
