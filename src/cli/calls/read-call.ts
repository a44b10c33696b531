import type { CallDetail } from "../../../plugins/history/call-schemas";
import type { ApiClient } from "../api-client";
import type { Output } from "../output";

type Page = { readonly call: CallDetail; readonly next?: string };

/** A call with all of its events and gaps, whichever pages they are on. */
export async function readCall(api: ApiClient, output: Output, roomSid: string): Promise<CallDetail> {
  const path = `/sip/calls/${encodeURIComponent(roomSid)}`;
  const first = await api.get<Page>(path, { limit: 500 });
  const events = [...first.call.events];
  const gaps = [...first.call.gaps];
  for (let cursor = first.next; cursor !== undefined;) {
    output.progress(`${events.length} events …`);
    const page = await api.get<Page>(path, { limit: 500, cursor });
    events.push(...page.call.events);
    gaps.push(...page.call.gaps);
    cursor = page.next;
  }
  output.progress(undefined);
  return { ...first.call, events, gaps };
}
