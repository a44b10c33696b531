/** Why a text is no URL for a hook: another scheme, or anything else that is wrong with it. */
export type HookUrlFault = "insecure" | "invalid";

/**
 * Judges a hook's URL: absolute, `https:`, without user name, password and fragment, and written without white space and
 * backslashes, which URL parsers read in several ways. Undefined when it may be used as it is.
 */
export function hookUrlFault(text: string): HookUrlFault | undefined {
  if (!/^https:\/\//i.test(text)) return "insecure";
  if (/[\s\\]/.test(text)) return "invalid";
  const url = URL.parse(text);
  return url === null || url.username !== "" || url.password !== "" || url.hash !== "" ? "invalid" : undefined;
}
