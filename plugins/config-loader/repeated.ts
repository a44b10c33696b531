/** The entries whose key another one had before. Keys that are no texts are not compared. */
export function* repeated<Entry extends { readonly key: unknown }>(
  entries: Iterable<Entry>,
): Generator<Entry & { readonly key: string }> {
  const seen = new Set<string>();
  for (const entry of entries) {
    if (!hasText(entry)) continue;
    if (seen.has(entry.key)) yield entry;
    seen.add(entry.key);
  }
}

const hasText = <Entry extends { readonly key: unknown }>(entry: Entry): entry is Entry & { readonly key: string } =>
  typeof entry.key === "string";
