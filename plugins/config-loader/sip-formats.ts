import { parseAddressRange } from "../../src/domain/address-range";
import { ERRORS } from "../../src/domain/errors";
import { hookUrlFault } from "../../src/domain/hook-url";
import { parseHostPattern } from "../../src/domain/host-pattern";
import { parseSecretSource, secretReference } from "../../src/domain/secret";
import { isBrokenSecret, parseSigningKey } from "../../src/domain/signatures";
import { quote } from "./quote";
import { textFormat, type Refusal } from "./text-format";

export const ROOM_PREFIX = textFormat("room-prefix", {
  expects: "a string",
  refuse(text) {
    const hint = "Set SIP_ROOM_PREFIX or sip.room_prefix to something like sip- or room_42.";
    if (text === "") return { message: "SIP room_prefix cannot be empty", hint };
    if (/^[A-Za-z0-9_-]+$/.test(text)) return undefined;
    return { message: "SIP room_prefix must contain only alphanumeric characters, '-', or '_'", hint };
  },
});

/** Strict, because LiveKit checks nothing here: an entry that it cannot read never matches, or opens the trunk to everybody. */
export const ALLOWED_ADDRESS = textFormat("allowed-address", {
  expects: "an IP address or CIDR block",
  refuse(text) {
    if (parseAddressRange(text) !== undefined) return undefined;
    return {
      message: `SIP allowed_address ${quote(text)} does not look valid`,
      hint: "Use an IPv4 or IPv6 address or a CIDR block, without brackets: 203.0.113.7, 203.0.113.0/24, 2001:db8::/32.",
    };
  },
});

export const HOOK_RANGE = textFormat("hook-range", {
  expects: "an IP address or CIDR block",
  refuse(text, name) {
    if (parseAddressRange(text) !== undefined) return undefined;
    return {
      message: `${name} is not an address or CIDR block: ${quote(text)}`,
      hint: "Use an IPv4 or IPv6 address or a CIDR block, without brackets: 10.1.2.3, 10.0.0.0/8, fd00::/8.",
    };
  },
});

export const HOOK_HOST = textFormat("hook-host", {
  expects: "a host name, an IP address, or a wildcard such as *.example.com",
  refuse: (text, name) =>
    parseHostPattern(text) === undefined
      ? { message: `${ERRORS.invalid_host.message}: ${quote(text)} (${name})`, hint: ERRORS.invalid_host.hint }
      : undefined,
});

export const TENANT_HOST = textFormat("tenant-host", {
  expects: "a host name, an IP address, or a wildcard such as *.example.com",
  refuse: (text, name) =>
    parseHostPattern(text) === undefined
      ? { message: `${name} is not a host: ${quote(text)}`, hint: ERRORS.invalid_host.hint }
      : undefined,
});

/** The URL itself is never repeated: people put tokens into URLs. */
export const HOOK_URL = textFormat("hook-url", {
  expects: "an https:// URL",
  refuse(text, name) {
    switch (hookUrlFault(text)) {
      case "insecure":
        return { message: `${ERRORS.insecure_url.message} (${name})`, hint: "Use https:// for every entry." };
      case "invalid":
        return { message: `${ERRORS.invalid_url.message} (${name})`, hint: ERRORS.invalid_url.hint };
      case undefined:
        return undefined;
    }
  },
});

/** RFC 3261 section 25.1, `token`. */
export const HEADER_NAME = textFormat("header-name", {
  expects: "the name of a SIP header",
  refuse(text, name) {
    if (/^[A-Za-z0-9.!%*_+`'~-]+$/.test(text)) return undefined;
    return {
      message: `${name} is not the name of a SIP header: ${quote(text)}`,
      hint: "Use names such as To or X-To-IP, without colon and spaces.",
    };
  },
});

export const MATCHER_NAME = textFormat("matcher-name", {
  expects: "the name of a matcher",
  refuse(text, name) {
    if (/^[^\s\p{C}]+$/u.test(text)) return undefined;
    return {
      message: `${name} is not the name of a matcher`,
      hint: "Use exact-host, wildcard-host, called-number, number-prefix, trunk, attribute, or a plugin's name.",
    };
  },
});

/** A hook's signing secret: a literal, `env:NAME` or `file:PATH`. */
export const HOOK_SECRET = textFormat("hook-secret", {
  expects: "a secret, env:NAME or file:PATH",
  refuse(text, name) {
    const source = parseSecretSource(text);
    if (source.kind !== "literal") return refuseReference(text, name);
    if (text === "") return { message: `${name} cannot be empty`, hint: "Give it a value, or remove it." };
    if (/^\s|\s$/.test(text)) return { message: `${name} begins or ends with white space`, hint: "Remove it." };
    if (!isBrokenSecret(text)) return undefined;
    return {
      message: `${name} begins with whsec_, but what follows is not base64 of 24 to 64 bytes`,
      hint: 'Make one with: echo "whsec_$(openssl rand -base64 32)"',
    };
  },
});

/** An ed25519 key: a literal, `env:NAME` or `file:PATH`. */
export const SIGNING_KEY = textFormat("signing-key", {
  expects: "a key (whsk_…), env:NAME or file:PATH",
  refuse(text, name) {
    if (parseSecretSource(text).kind !== "literal") return refuseReference(text, name);
    if (parseSigningKey(text) !== undefined) return undefined;
    return {
      message: `${name} is not whsk_ and base64 of an ed25519 seed (32 bytes), or of seed and public key (64 bytes)`,
      hint: 'Make one with: echo "whsk_$(openssl rand -base64 32)"',
    };
  },
});

/** An entry that was meant as the secret itself is not repeated. */
export const SECRET_REFERENCE = textFormat("secret-reference", {
  expects: "a reference, env:NAME or file:PATH",
  refuse: (text, name) =>
    secretReference(parseSecretSource(text)) === undefined
      ? {
          message: `${name} is not a reference to a secret`,
          hint: "Use env:NAME or file:PATH; never the secret itself.",
        }
      : refuseReference(text, name),
});

export function refuseReference(text: string, name: string): Refusal | undefined {
  if (/^(env:[^\s=\p{Cc}]+|file:\S(.*\S)?)$/u.test(text)) return undefined;
  return { message: `${name} is a reference that names nothing`, hint: "Write env:NAME or file:PATH." };
}
