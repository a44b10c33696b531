import { Value } from "@sinclair/typebox/value";
import { formatDuration } from "../../src/domain/duration";
import { ERRORS } from "../../src/domain/errors";
import { parseHostPattern } from "../../src/domain/host-pattern";
import { itemsAt, label, valueAt, type Pointer } from "./pointer";
import { quote } from "./quote";
import { repeated } from "./repeated";
import type { Report } from "./report";
import { DeliverySchema } from "./sip-schema";

/** What the settings of the `sip` block must be to each other. */
export function checkSip(tree: unknown, report: Report): void {
  if (valueAt(tree, "/sip") === undefined) return;
  checkAddresses(tree, report);
  checkHooks(tree, report);
  // Header names are compared as SIP does (RFC 3261 section 7.3.1).
  checkNames(tree, "/sip/host_headers", (name) => name.toLowerCase(), report);
  checkNames(tree, "/sip/matchers", (name) => name, report);
  checkDelivery(valueAt(tree, "/sip/delivery"), report);
}

function checkAddresses(tree: unknown, report: Report): void {
  const at = "/sip/allowed_addresses";
  const addresses = valueAt(tree, at);
  if (!Array.isArray(addresses) || addresses.length > 0 || valueAt(tree, "/sip/provision") === false) return;
  report.addMissing(
    at,
    "SIP allowed_addresses cannot be empty",
    "Set SIP_ALLOWED_ADDRESSES or sip.allowed_addresses to where calls come from; or provision to false.",
  );
}

function checkHooks(tree: unknown, report: Report): void {
  const hosts = itemsAt(tree, "/sip/hooks").map((hook) => {
    const at = `${hook.at}/host`;
    const host = valueAt(tree, at);
    return { at, key: typeof host === "string" ? parseHostPattern(host) : undefined };
  });
  for (const { at, key } of repeated(hosts)) {
    const { message, hint } = ERRORS.duplicate_host;
    report.add(at, `${message}: ${quote(key)} (${label(at)})`, hint);
  }
}

function checkNames(tree: unknown, list: Pointer, normalise: (name: string) => string, report: Report): void {
  const names = itemsAt(tree, list).map(({ at, value }) => ({
    at,
    key: typeof value === "string" ? normalise(value) : undefined,
  }));
  for (const { at, key } of repeated(names)) {
    report.add(at, `${label(list)} names ${quote(key)} twice`, "Keep one; the first one that fits counts.");
  }
}

/** An attempt that holds one of the hook's places for longer than this is no webhook. */
const LONGEST_DEADLINE = 5 * 60 * 1000;

function checkDelivery(value: unknown, report: Report): void {
  // With a problem in one of them there is nothing yet to compare.
  if (!Value.Check(DeliverySchema, value)) return;
  const { deadline, max_age: maxAge, schedule } = Value.Decode(DeliverySchema, value);
  const longest = Math.min(LONGEST_DEADLINE, maxAge);
  if (deadline > longest) {
    const message = `sip.delivery.deadline (${formatDuration(deadline)}) is longer than ${formatDuration(longest)}`;
    report.add("/sip/delivery/deadline", message, "Use at most 5m, and no more than max_age.");
  }
  const waits = schedule.reduce((sum, wait) => sum + wait, 0);
  if (waits > maxAge) {
    const message = `The waits of sip.delivery.schedule (${formatDuration(waits)}) exceed max_age (${formatDuration(maxAge)})`;
    report.add(
      "/sip/delivery/schedule",
      message,
      "Shorten the schedule, or raise max_age: later tries would never be made.",
    );
  }
}
