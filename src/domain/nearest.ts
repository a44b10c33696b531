import { distance } from "fastest-levenshtein";

/**
 * The known word that `word` was probably meant to be: at most a third of its letters are wrong, or they are in the wrong
 * order. Case is not counted. The first one wins a tie.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let fewest = word.length;
  for (const candidate of known) {
    const longer = Math.max(word.length, candidate.length);
    const limit = Math.floor(longer / 3);
    // Words differ by at least as much as their lengths, which spares the long comparison of hostile ones.
    if (longer - Math.min(word.length, candidate.length) > limit) continue;
    const errors = slips(word.toLowerCase(), candidate.toLowerCase());
    if (errors <= limit && errors < fewest) {
      best = candidate;
      fewest = errors;
    }
  }
  return best;
}

/** Swapped letters, the commonest slip, count once; Levenshtein's distance counts them twice. */
const slips = (a: string, b: string): number => (a !== b && sorted(a) === sorted(b) ? 1 : distance(a, b));

const sorted = (word: string): string => word.split("").toSorted().join("");
