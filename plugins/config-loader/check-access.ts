import { itemsAt, valueAt } from "./pointer";
import { quote } from "./quote";
import { repeated } from "./repeated";
import type { Report } from "./report";

/** What LiveKit's key and the API's credentials must be to each other. */
export function checkAccess(tree: unknown, report: Report): void {
  checkKeyPair(tree, report);
  checkCredentials(tree, report);
  if (valueAt(tree, "/auth/required") !== true || itemsAt(tree, "/auth/api_secrets").length > 0) return;
  // A list that is no list was reported as that.
  if (report.has("/auth/api_secrets")) return;
  report.addMissing(
    "/auth/required",
    "Authentication is required (AUTH_REQUIRED), but there is no secret",
    "Set AUTH_API_SECRET, AUTH_API_SECRETS_JSON or auth.api_secrets; an empty variable counts as not set.",
  );
}

function checkKeyPair(tree: unknown, report: Report): void {
  const [key, secret] = ["/livekit/api_key", "/livekit/api_secret"];
  const hasKey = valueAt(tree, key) !== undefined;
  const hasSecret = valueAt(tree, secret) !== undefined || report.has(secret);
  const hint = "Set both (LIVEKIT_API_KEY and LIVEKIT_API_SECRET), or none; an empty variable counts as not set.";
  if (hasKey && !hasSecret) report.addMissing(key, "livekit.api_key is set without livekit.api_secret", hint);
  if (!hasKey && hasSecret) report.addMissing(secret, "livekit.api_secret is set without livekit.api_key", hint);
}

function checkCredentials(tree: unknown, report: Report): void {
  const credentials = itemsAt(tree, "/auth/api_secrets");
  const ids = credentials.map(({ at }) => ({ at: `${at}/id`, key: valueAt(tree, `${at}/id`) }));
  for (const { at, key } of repeated(ids)) {
    report.add(
      at,
      `Two entries of auth.api_secrets have the id ${quote(key)}`,
      "Give each credential an id of its own.",
    );
  }
  const secrets = credentials.map(({ at }) => ({ at: `${at}/secret`, key: valueAt(tree, `${at}/secret`) }));
  for (const { at } of repeated(secrets)) {
    // Fails closed because nobody could tell whose request it is, a tenant's or an operator's.
    report.add(at, "Two entries of auth.api_secrets have the same secret", "Give each credential a secret of its own.");
  }
  for (const { at } of credentials) {
    if (valueAt(tree, `${at}/role`) !== "operator") continue;
    if (itemsAt(tree, `${at}/hosts`).length > 0) {
      report.add(
        `${at}/hosts`,
        "An operator's credential cannot be limited to hosts",
        "Add role: tenant, or remove hosts: an operator may reach every host.",
      );
    }
    if (itemsAt(tree, `${at}/secret_refs`).length > 0) {
      report.add(
        `${at}/secret_refs`,
        "An operator's credential has no secret_refs of its own",
        "Add role: tenant, or list them in sip.allowed_secret_refs.",
      );
    }
  }
}
