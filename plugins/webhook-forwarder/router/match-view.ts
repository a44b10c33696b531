import type {
  CalledAddress,
  CandidateHook,
  CandidateHooks,
  MatchView,
  RememberedCall,
} from "../../../src/contracts/matcher";
import { calledNumber } from "../../../src/domain/called-number";
import type { HookTable } from "../../../src/domain/hook-table";
import type { Hook } from "../../../src/domain/hook";
import type { HookId } from "../../../src/domain/ids";
import { parseHostPattern } from "../../../src/domain/host-pattern";
import type { Host } from "../../../src/domain/host";
import type { Attributes, LiveKitEvent, Subject } from "../../../src/domain/livekit-event";
import type { SipAddress } from "../../../src/domain/sip-address";
import { calledAddress } from "./called-host";

type Participant = Extract<Subject, { kind: "participant" }> & { readonly attributes: Attributes };

export type MatchViewOptions = {
  readonly event: LiveKitEvent;
  readonly participant: Participant;
  readonly table: HookTable;
  readonly hostHeaders: readonly string[];
  readonly remembered: (event: LiveKitEvent) => Promise<RememberedCall | undefined>;
};

/**
 * What matchers see of one event. What costs something is made when somebody looks at it: the built-in matchers look at
 * the host alone, and the acknowledgement waits for them. Everything can be taken out of it by destructuring.
 */
export class EventView implements MatchView {
  readonly event: LiveKitEvent;
  readonly participant: MatchView["participant"];
  readonly called: CalledAddress;
  readonly hooks: Candidates;
  readonly #abort = new Lazy(() => new AbortController());
  readonly #memory: Lazy<Promise<RememberedCall | undefined>>;

  constructor({ event, participant, table, hostHeaders, remembered }: MatchViewOptions) {
    const { sid, identity, attributes } = participant;
    // What a matcher changed here would be changed for the storage and the history, too.
    for (const shared of [event, event.subject, attributes]) Object.freeze(shared);
    this.event = event;
    this.participant = Object.freeze({ sid, identity, attributes });
    this.called = new Called(attributes, hostHeaders);
    this.hooks = new Candidates(table);
    this.#memory = new Lazy(() => remembered(event));
  }

  get remembered(): MatchView["remembered"] {
    return () => this.#memory.value;
  }

  get signal(): AbortSignal {
    return this.#abort.value.signal;
  }

  /** Tells whoever holds the signal that nobody waits any more. */
  giveUp(reason: Error): void {
    this.#abort.value.abort(reason);
  }
}

class Called implements CalledAddress {
  readonly #attributes: Attributes;
  readonly #address: Lazy<SipAddress | undefined>;

  constructor(attributes: Attributes, hostHeaders: readonly string[]) {
    this.#attributes = attributes;
    this.#address = new Lazy(() => calledAddress(attributes, hostHeaders));
  }

  get host(): Host | undefined {
    return this.#address.value?.host;
  }

  get user(): string | undefined {
    return this.#address.value?.user;
  }

  get number(): string | undefined {
    return calledNumber(this.#attributes);
  }
}

/** The table as a matcher sees it, and what of it one has seen: meanwhile a hook may have been deleted. */
export class Candidates implements CandidateHooks {
  readonly #table: HookTable;
  readonly #shown: (Hook | readonly Hook[])[] = [];

  constructor(table: HookTable) {
    this.#table = table;
  }

  exact(host: Host): CandidateHook | undefined {
    return this.#show(this.#table.exact(host));
  }

  wildcard(host: Host): CandidateHook | undefined {
    return this.#show(this.#table.wildcard(host));
  }

  byHost(host: string): CandidateHook | undefined {
    const pattern = parseHostPattern(host);
    return pattern === undefined ? undefined : this.#show(this.#table.byPattern(pattern));
  }

  all(): readonly CandidateHook[] {
    return this.#show(this.#table.all());
  }

  /**
   * The hook of this id, as it was shown or as it is in the table: its host and tenant, which the id is made of, are the
   * same. What was shown by itself comes first, being at hand: a look into a table of 100,000 is 1 us (measured).
   */
  find(id: HookId): Hook | undefined {
    for (const shown of this.#shown) if ("id" in shown && shown.id === id) return shown;
    return this.#table.byId(id) ?? this.#shown.flat().find((hook) => hook.id === id);
  }

  #show<Shown extends Hook | readonly Hook[] | undefined>(shown: Shown): Shown {
    if (shown !== undefined) this.#shown.push(shown);
    return shown;
  }
}

/** Made once, when it is first asked for. */
class Lazy<T> {
  readonly #make: () => T;
  #made: { readonly value: T } | undefined;

  constructor(make: () => T) {
    this.#make = make;
  }

  get value(): T {
    this.#made ??= { value: this.#make() };
    return this.#made.value;
  }
}
