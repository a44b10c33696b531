import { isBearerToken, isHeaderValue, isPassword } from "../../src/domain/http-header";
import { parseSecretSource } from "../../src/domain/secret";
import { refuseReference } from "./sip-formats";
import { textFormat } from "./text-format";

/** A secret part of a hook's credentials: a literal that `fits`, `env:NAME` or `file:PATH`. It is never repeated. */
const credentialFormat = (name: string, fits: (text: string) => boolean, wrong: string, hint: string) =>
  textFormat(name, {
    expects: "a value, env:NAME or file:PATH",
    refuse(text, setting) {
      if (parseSecretSource(text).kind !== "literal") return refuseReference(text, setting);
      if (text === "") return { message: `${setting} cannot be empty`, hint: "Give it a value, or remove it." };
      return fits(text) ? undefined : { message: `${setting} ${wrong}`, hint };
    },
  });

export const BEARER_TOKEN = credentialFormat(
  "bearer-token",
  isBearerToken,
  "has white space or characters outside ASCII, which no bearer token has",
  "Give the token alone, without the word Bearer.",
);

export const PASSWORD = credentialFormat(
  "password",
  isPassword,
  "has a line break or control character, which cannot be sent",
  "Remove it.",
);

export const HEADER_VALUE = credentialFormat(
  "header-value",
  isHeaderValue,
  "has white space at an end, or characters that no HTTP header can carry",
  "Use letters, digits and punctuation on one line.",
);

export const PEM = credentialFormat(
  "pem",
  (text) => /^-----BEGIN [A-Z ]+-----\n[^]*-----END [A-Z ]+-----\s*$/.test(text),
  "is not PEM",
  "Write file:PATH of a PEM file; or its lines, from -----BEGIN to -----END, below a | sign.",
);

/** What follows is told by the check of the whole credentials, which the API makes too. */
export const USERNAME = textFormat("username", { expects: "a string", refuse: () => undefined });
export const CREDENTIAL_HEADER = textFormat("credential-header", {
  expects: "the name of an HTTP header",
  refuse: () => undefined,
});
