import type { ApiClient, QueryValue } from "./api-client";
import type { Output } from "./output";

export type List<Name extends string, Entry> = { [K in Name]: Entry[] } & { next?: string };

/** The most that the API gives at a time. */
const PAGE = 500;

/**
 * The first `limit` entries of a list, however many pages they are on, as one answer of the API; `next` of the last page stays
 * when there are more.
 *
 * @param name the answer's member that has the entries.
 */
export async function readPages<const Name extends string, Entry>(
  api: ApiClient,
  output: Output,
  {
    path,
    name,
    query,
    limit,
  }: { path: string; name: Name; query: Readonly<Record<string, QueryValue>>; limit: number },
): Promise<List<Name, Entry>> {
  const entries: Entry[] = [];
  let cursor: string | undefined;
  do {
    const page = await api.get<Record<Name, Entry[]> & { next?: string }>(path, {
      ...query,
      limit: Math.min(PAGE, limit - entries.length),
      cursor,
    });
    entries.push(...page[name]);
    cursor = page.next;
    if (cursor !== undefined) output.progress(`${entries.length} ${name} …`);
  } while (cursor !== undefined && entries.length < limit);
  output.progress(undefined);
  return { [name]: entries, ...(cursor === undefined ? {} : { next: cursor }) } as List<Name, Entry>;
}
