import { isIPv6 } from "node:net";
import { normalizeHost } from "../../src/domain/host";
import { parseByteSize } from "../../src/domain/byte-size";
import { parseDuration } from "../../src/domain/duration";
import { parseInstant } from "../../src/domain/instant";
import { isPluginName } from "../../src/contracts/define-plugin";
import { quote } from "./quote";
import { textFormat, type Refusal } from "./text-format";

const EDGES = /^\s|\s$/;
const CONTROL = /\p{Cc}/u;

/** A name, a path: something visible on one line. */
export const PLAIN_TEXT = textFormat("text", { expects: "a string", refuse: refusePlain });

function refusePlain(text: string, name: string): Refusal | undefined {
  if (text === "") return { message: `${name} cannot be empty`, hint: "Give it a value, or remove it." };
  if (!EDGES.test(text) && !CONTROL.test(text)) return undefined;
  // What follows a line break is often the next setting, a secret perhaps, whose colon lacks its space: not repeated.
  return {
    message: `${name} has white space at an end, or a line break or control character in it`,
    hint: "Remove it; in YAML, look at the next line as well: a key needs a space after its colon.",
  };
}

/** An id that ends up in logs and in rooms' metadata. */
export const ID = textFormat("id", {
  expects: "a string",
  refuse(text, name) {
    if (text !== "" && text.length <= 256 && !EDGES.test(text) && !CONTROL.test(text)) return undefined;
    return {
      message: `${name} does not look valid`,
      hint: "Use 1 to 256 characters, without white space at the ends.",
    };
  },
});

/** A value that signs or proves something. */
export const SECRET = textFormat("secret", {
  expects: "a string",
  refuse(text, name) {
    if (text === "") return { message: `${name} cannot be empty`, hint: "Give it a value, or remove it." };
    if (!EDGES.test(text)) return undefined;
    return {
      message: `${name} begins or ends with white space`,
      hint: "Remove it; a line break at the end often comes from the command that made the secret (echo without -n).",
    };
  },
});

/** What a caller of the API sends as `Authorization: Bearer …`. */
export const TOKEN = textFormat("token", {
  expects: "a string",
  refuse(text, name) {
    if (text === "") return { message: `${name} cannot be empty`, hint: "Give it a value, or remove the entry." };
    if (/^[\x21-\x7e]+$/.test(text)) return undefined;
    return {
      message: `${name} has white space or characters outside ASCII, which no HTTP header can carry`,
      hint: "Use letters, digits and punctuation, for instance the output of: openssl rand -hex 32",
    };
  },
});

export const LISTEN_HOST = textFormat("listen-host", {
  expects: "an IP address or a host name",
  refuse(text, name) {
    const host = normalizeHost(text);
    const hasPort = host !== undefined && !isIPv6(host) && text.includes(":");
    if (host !== undefined && !hasPort && !/\]:/.test(text)) return undefined;
    return {
      message: `${name} is not an address to listen on: ${quote(text)}`,
      hint: "Use an IP address or a host name, such as 127.0.0.1 or 0.0.0.0; the port has a setting of its own.",
    };
  },
});

export const STORAGE = textFormat("storage", {
  expects: "sqlite, a postgres:// URL, or the name of a plugin's storage",
  refuse(text, name) {
    if (isPluginName(text) || isPostgresUrl(text)) return undefined;
    // A database's URL holds its password: not repeated.
    return {
      message: `${name} is neither sqlite, nor a URL of Postgres, nor the name of a plugin's storage`,
      hint:
        "Write postgres://user:password@host:port/database, with what is no letter or digit in the password as %XX; or name " +
        "a storage that one of plugins brings; or remove it (and STORAGE_URL): the database is then kept in data_dir.",
    };
  },
});

export function isPostgresUrl(text: string): boolean {
  const url = /[\s\\]/.test(text) ? null : URL.parse(text);
  return url !== null && ["postgres:", "postgresql:"].includes(url.protocol) && url.hostname !== "" && url.hash === "";
}

/** It is part of addresses and of metrics' names. */
export const PLUGIN_NAME_FORMAT = textFormat("plugin-name", {
  expects: "a name of lower-case letters, digits and hyphens",
  refuse(text, name) {
    if (isPluginName(text)) return undefined;
    return {
      message: `${name} is no name for a plugin: ${quote(text)}`,
      hint: "Use lower-case letters, digits and single hyphens, at most 40: by-number.",
    };
  },
});

/** What a plugin's path is made absolute for, before the plugin gets it. */
export const PATH = textFormat("path", { expects: "the path of a file or directory", refuse: refusePlain });

export const LIVEKIT_URL = textFormat("livekit-url", {
  expects: "a URL such as wss://livekit.example.com",
  refuse(text, name) {
    const url = /[\s\\]/.test(text) ? null : URL.parse(text);
    const known = url !== null && ["ws:", "wss:", "http:", "https:"].includes(url.protocol) && /^\w+:\/\//.test(text);
    if (known && url.username === "" && url.password === "" && url.hash === "") return undefined;
    return {
      message: `${name} is not a URL of LiveKit`,
      hint: "Use ws://, wss://, http:// or https:// and a host, without user name and password: ws://localhost:7880",
    };
  },
});

export const DURATION = textFormat("duration", {
  expects: "a duration such as 10s",
  refuse(text, name) {
    const ms = parseDuration(text);
    if (ms !== undefined && ms > 0) return undefined;
    return {
      message: `${name} is not a duration: ${quote(text)}`,
      hint: "Write a whole number above 0 and its unit (ms, s, m, h or d): 250ms, 10s, 5m, 24h.",
    };
  },
});

export const INSTANT = textFormat("instant", {
  expects: "a time such as 2030-01-31T12:00:00Z",
  refuse(text, name) {
    if (parseInstant(text) !== undefined) return undefined;
    return {
      message: `${name} is not a time: ${quote(text)}`,
      hint: "Write day, time and offset: 2030-01-31T12:00:00Z, or 2030-01-31T13:00:00+01:00.",
    };
  },
});

export const BYTE_SIZE = textFormat("byte-size", {
  expects: "a size such as 2GiB",
  refuse(text, name) {
    if (parseByteSize(text) !== undefined) return undefined;
    return {
      message: `${name} is not a size: ${quote(text)}`,
      hint: "Write a whole number and its unit (B, KiB, MiB or GiB): 512MiB, 2GiB.",
    };
  },
});
