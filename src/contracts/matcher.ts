import type { Hook } from "../domain/hook";
import type { HookTable } from "../domain/hook-table";
import type { Host } from "../domain/host";
import type { ParticipantSid } from "../domain/ids";
import type { Attributes, LiveKitEvent } from "../domain/livekit-event";

/** What a matcher sees of a SIP participant that has to be decided. */
export type MatchView = {
  readonly event: LiveKitEvent;
  readonly participant: { readonly sid: ParticipantSid; readonly attributes: Attributes };
  /** The called host, from the first of `host_headers` that is there and parses; undefined when none does. */
  readonly host: Host | undefined;
  /** The forwarding table, without hooks that a hook of the configuration shadows. */
  readonly hooks: Pick<HookTable, "exact" | "wildcard" | "byPattern" | "all">;
};

export type MatchAnswer =
  | { readonly kind: "hook"; readonly hook: Hook }
  /** It belongs to no hook; later matchers are not asked. */
  | { readonly kind: "none" }
  /** Not for this matcher to say; the next one is asked. */
  | { readonly kind: "not-mine" };

/** Decides which hook a SIP participant belongs to. Asked in the configured order, once per participant. */
export interface Matcher {
  /** As it is named in `sip.matchers`. */
  readonly name: string;
  match(view: MatchView): MatchAnswer | Promise<MatchAnswer>;
}
