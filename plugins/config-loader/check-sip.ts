import { Value } from "@sinclair/typebox/value";
import { credentialsFault } from "../../src/domain/credentials";
import { ERRORS } from "../../src/domain/errors";
import { parseHostPattern } from "../../src/domain/host-pattern";
import { checkDelivery } from "./check-delivery";
import { checkMatching } from "./check-matching";
import { CredentialsSchema } from "./credentials-schema";
import { child, itemsAt, label, valueAt, type Pointer } from "./pointer";
import { quote } from "./quote";
import { repeated } from "./repeated";
import type { Report } from "./report";

/** What the settings of the `sip` block must be to each other. */
export function checkSip(tree: unknown, report: Report): void {
  if (valueAt(tree, "/sip") === undefined) return;
  checkAddresses(tree, report);
  checkHooks(tree, report);
  checkPrevious(tree, report);
  // Header names are compared as SIP does (RFC 3261 section 7.3.1).
  checkNames(tree, "/sip/host_headers", (name) => name.toLowerCase(), report);
  checkNames(tree, "/sip/matchers", (name) => name, report);
  checkMatching(tree, report);
  checkDelivery(tree, report);
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
  const hooks = itemsAt(tree, "/sip/hooks");
  for (const { at } of hooks) checkCredentials(tree, `${at}/credentials`, report);
  const hosts = hooks.map((hook) => {
    const at = `${hook.at}/host`;
    const host = valueAt(tree, at);
    return { at, key: typeof host === "string" ? parseHostPattern(host) : undefined };
  });
  for (const { at, key } of repeated(hosts)) {
    const { message, hint } = ERRORS.duplicate_host;
    report.add(at, `${message}: ${quote(key)} (${label(at)})`, hint);
  }
}

function checkCredentials(tree: unknown, at: Pointer, report: Report): void {
  const credentials = valueAt(tree, at);
  // Of another shape it was reported already.
  if (!Value.Check(CredentialsSchema, credentials)) return;
  const fault = credentialsFault(credentials);
  if (fault === undefined) return;
  const { message, hint } = ERRORS.invalid_credentials;
  report.add(child(at, fault.member), `${message}: ${fault.message} (${label(at)})`, hint);
}

/** What is being replaced needs what replaces it. */
function checkPrevious(tree: unknown, report: Report): void {
  for (const name of ["hook_secret", "signing_key"]) {
    const at = `/sip/previous_${name}`;
    if (valueAt(tree, at) === undefined || valueAt(tree, `/sip/${name}`) !== undefined) continue;
    report.add(
      at,
      `${label(at)} is set without sip.${name}`,
      `Set sip.${name} to the new one; or move the old one there.`,
    );
  }
  for (const hook of itemsAt(tree, "/sip/hooks")) {
    const at = `${hook.at}/previous_secret`;
    const replaced = valueAt(tree, `${hook.at}/secret`) ?? valueAt(tree, "/sip/hook_secret");
    if (valueAt(tree, at) === undefined || replaced !== undefined) continue;
    report.add(
      at,
      `${label(at)} is set, but there is no secret that replaces it`,
      "Set the hook's secret, or hook_secret.",
    );
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
