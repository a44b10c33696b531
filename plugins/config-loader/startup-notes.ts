import { contains, parseAddressRange } from "../../src/domain/address-range";
import { fitsKnownEvent, KNOWN_EVENTS } from "../../src/domain/event-names";
import { parseIpAddress } from "../../src/domain/ip-address";
import { nearest } from "../../src/domain/nearest";
import type { SecretSource } from "../../src/domain/secret";
import type { Config, SipConfig } from "./config";

export type StartupNote = { readonly level: "info" | "warn"; readonly message: string };

/** What the operator should know at every start, although nothing is wrong. Without a `sip` block none of it is about SIP. */
export function startupNotes(config: Config): readonly StartupNote[] {
  return [...listeningNotes(config), ...(config.sip === undefined ? [] : sipNotes(config.sip))];
}

function* listeningNotes({ server, auth }: Config): Generator<StartupNote> {
  if (isLoopback(server.host)) {
    yield {
      level: "info",
      message:
        `Listening on ${server.host}: only a LiveKit on this machine can deliver its webhooks. ` +
        "Set HOST (server.host) to listen elsewhere, 0.0.0.0 for every address.",
    };
  }
  // Where the API is, and the metrics and the documentation, which ask for the same credentials.
  const { host, setting } =
    server.management === undefined
      ? { host: server.host, setting: "" }
      : { host: server.management.host, setting: "MANAGEMENT_HOST=127.0.0.1 (server.management.host), or " };
  if (!isLoopback(host) && !auth.required) {
    yield {
      level: "warn",
      message:
        `The management API on ${host} is open to everybody who can reach it. ` +
        `Set ${setting}AUTH_REQUIRED=true (auth.required) and AUTH_API_SECRET.`,
    };
  }
}

function* sipNotes(sip: SipConfig): Generator<StartupNote> {
  yield* addressNotes(sip);
  // RFC 3261 section 7.3.3: `t` is To's short form.
  const added = sip.host_headers.filter((header) => !["to", "t"].includes(header.toLowerCase()));
  if (added.length > 0) {
    yield {
      level: "warn",
      message:
        `SIP hosts are read from ${added.join(", ")}: the proxy in front of LiveKit must remove a caller's own ` +
        `${added.join(", ")}, else callers choose the tenant that their call goes to.`,
    };
  }
  const written = sip.routes.flatMap(({ attribute = "" }) => (attribute.startsWith("sip.h.") ? [attribute] : []));
  if (written.length > 0) {
    const headers = [...new Set(written)].join(", ");
    yield {
      level: "warn",
      message:
        `SIP routes look at ${headers}: the proxy in front of LiveKit must remove what a caller writes there, else ` +
        "callers choose the tenant that their call goes to.",
    };
  }
  const plain = [
    ...(isPlain(sip.hook_secret) ? ["sip.hook_secret"] : []),
    ...sip.hooks.filter(({ secret }) => isPlain(secret)).map(({ host }) => `the hook of ${host}`),
  ];
  // A signing key gives every delivery a Standard Webhooks signature.
  if (plain.length > 0 && sip.signing_key === undefined) {
    yield {
      level: "info",
      message:
        `SIP deliveries signed with the secret of ${plain.join(", ")} carry X-Sayna-Signature only: ` +
        "a secret that begins with whsec_ gives Standard Webhooks signatures as well.",
    };
  }
  const signsNothing = useless(sip);
  if (signsNothing.length > 0) {
    yield {
      level: "warn",
      message:
        `${signsNothing.join(", ")} signs nothing: X-Sayna-Signature is made with the new secret alone, and an old one ` +
        "without whsec_ makes no other signature. Let receivers accept both secrets before the change.",
    };
  }
  yield* eventNotes(sip);
}

/** LiveKit (`matchAddrMasks`) compares an entry that is no block with the host of From as well, which the caller writes. */
function* addressNotes({ provision, allowed_addresses: allowed }: SipConfig): Generator<StartupNote> {
  const bare = provision ? allowed.filter((entry) => !entry.includes("/")) : [];
  if (bare.length === 0) return;
  const blocks = bare.map((entry) => `${entry}/${entry.includes(":") ? 128 : 32}`);
  yield {
    level: "warn",
    message:
      `SIP allowed_addresses has ${bare.join(", ")} without a prefix length: LiveKit lets in everybody who writes such an ` +
      `address as the host of From. Write ${blocks.join(", ")}.`,
  };
}

/** A warning, not an error: LiveKit adds events, and one that is not known here may be just that. */
function* eventNotes({ delivery, hooks }: SipConfig): Generator<StartupNote> {
  const named = [
    ...patternsIn(delivery, "sip.delivery"),
    ...hooks.flatMap((hook) => patternsIn(hook.delivery ?? {}, `the hook of ${hook.host}`)),
  ];
  for (const { pattern, where } of named) {
    if (fitsKnownEvent(pattern)) continue;
    const meant = nearest(pattern, KNOWN_EVENTS);
    const help = meant === undefined ? `Known are ${KNOWN_EVENTS.join(", ")}.` : `Is ${meant} meant?`;
    yield { level: "warn", message: `No event that LiveKit is known to send fits ${pattern} of ${where}. ${help}` };
  }
}

function patternsIn(
  { events = [], expiry = [] }: Partial<Pick<SipConfig["delivery"], "events" | "expiry">>,
  where: string,
): readonly { readonly pattern: string; readonly where: string }[] {
  return [...new Set([...events, ...expiry.map((entry) => entry.events)])].map((pattern) => ({ pattern, where }));
}

/** Secrets that sign nothing any more: X-Sayna-Signature is made with the new secret alone. */
function useless(sip: SipConfig): readonly string[] {
  return [
    ...(isPlain(sip.previous_hook_secret?.secret) ? ["sip.previous_hook_secret"] : []),
    ...sip.hooks
      .filter((hook) => isPlain(hook.previous_secret?.secret))
      .map(({ host }) => `previous_secret of ${host}`),
  ];
}

/** A reference is not looked into: it is read for each use, and may be another one by then. */
const isPlain = (source: SecretSource | undefined): boolean =>
  source?.kind === "literal" && !source.value.reveal().startsWith("whsec_");

const LOOPBACK = ["127.0.0.0/8", "::1"].flatMap((text) => parseAddressRange(text) ?? []);

function isLoopback(host: string): boolean {
  const address = parseIpAddress(host);
  if (address === undefined) return host === "localhost" || host.endsWith(".localhost");
  return LOOPBACK.some((range) => contains(range, address));
}
