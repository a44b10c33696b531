/** What only makes a number readable (RFC 3966 section 5.1.1), and the spaces that people write. */
const VISUAL = /[ \-.()]/g;
const LONGEST_TEXT = 256;
/** A number with its country, or one that means something only where it is dialled, feature codes included. */
const NUMBER = /^\+?[0-9*#]{1,32}$/;

/**
 * A called number in the form in which numbers are compared: digits, `*` and `#`, with a `+` in front if it was written with
 * one; parameters behind a global number (`+15557654321;npdi`) are left out. `+1555…` and `1555…` are two numbers: what
 * the second one means depends on the carrier. Undefined for what is no number. Fails closed, because a guess would give
 * a call to a tenant that was not called.
 */
export function normalizeNumber(text: string): string | undefined {
  if (text.length > LONGEST_TEXT) return undefined;
  const plain = text.replaceAll(VISUAL, "");
  // Behind a local number a parameter (phone-context) says whose number it is: another one.
  const end = plain.startsWith("+") ? plain.indexOf(";") : -1;
  const number = end < 0 ? plain : plain.slice(0, end);
  return NUMBER.test(number) ? number : undefined;
}
