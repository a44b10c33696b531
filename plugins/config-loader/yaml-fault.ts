import type { ErrorCode, YAMLError } from "yaml";

/**
 * Texts of our own where the parser's message repeats a piece of the file, which may be a piece of a secret
 * (yaml 2.9.1: an alias, a tag, an escape sequence, what follows a quotation mark), or speaks to programmers.
 */
const OWN_TEXTS: Partial<Record<ErrorCode, string>> = {
  BAD_ALIAS: "An alias (*) or anchor (&) is not valid here",
  BAD_COLLECTION_TYPE: "A tag (!) does not fit what follows",
  BAD_DIRECTIVE: "A directive (%) is not valid",
  BAD_DQ_ESCAPE: "An escape sequence (\\) in double quotes is not valid",
  BAD_SCALAR_START: "A value begins with a character that needs quotes",
  DUPLICATE_KEY: "A key is there twice in the same block",
  MULTIPLE_DOCS: "There is more than one document",
  NON_STRING_KEY: "A key is no string",
  TAG_RESOLVE_FAILED: "A tag (!) is not known",
  UNEXPECTED_TOKEN: "Something stands here that YAML does not expect",
};

const HINTS: Partial<Record<ErrorCode, string>> = {
  DUPLICATE_KEY: "Keep one of the two.",
  MULTIPLE_DOCS: "Keep one document: remove what begins with --- and follows.",
  TAB_AS_INDENT: "Indent with spaces.",
};

const HINT =
  "Look for a missing quotation mark, colon, space after a colon or indentation, at this line or just above.";

/** Faults after which the rest of the file still means what it says. */
const HARMLESS: ReadonlySet<ErrorCode> = new Set(["DUPLICATE_KEY", "TAG_RESOLVE_FAILED"]);

export type YamlFault = {
  readonly message: string;
  readonly hint: string;
  readonly offset: number;
  readonly fatal: boolean;
};

/** A parser's error or warning as it is shown. `error` must come from a parse with `prettyErrors: false`. */
export function yamlFault(error: YAMLError): YamlFault {
  const text = OWN_TEXTS[error.code] ?? error.message;
  return {
    message: `Not valid YAML: ${text}`,
    hint: HINTS[error.code] ?? HINT,
    offset: error.pos[0],
    fatal: !HARMLESS.has(error.code),
  };
}
