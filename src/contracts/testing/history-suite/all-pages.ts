import type { Page } from "../../history";

/** The entries of all pages. */
export async function allPages<Entry>(read: (after: { after?: string }) => Promise<Page<Entry>>): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let after: { after?: string } = {}; ;) {
    const page = await read(after);
    entries.push(...page.entries);
    if (page.next === undefined) return entries;
    after = { after: page.next };
  }
}
