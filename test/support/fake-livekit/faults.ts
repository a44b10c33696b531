/**
 * What goes wrong, and when. Of the requests of `method` that come after the fault was injected, it hits the `nth`
 * (1 is the next) and as many after it as `times` says.
 */
export type Fault = {
  /** `SIP/CreateSIPInboundTrunk`; without it every method counts. */
  readonly method?: string;
  readonly nth?: number;
  readonly times?: number;
} & FaultEffect;

export type FaultEffect =
  /** LiveKit, or something before it, answers this instead. A text is sent as text/plain. */
  | { readonly at: "request"; readonly answer: FaultAnswer }
  /** The connection ends: before anything was done, or when all was done and only the answer is missing. */
  | { readonly at: "request" | "answer"; readonly drop: true }
  /** Time passes, or somebody else does something, at this point; `write` is between LiveKit's check and its write. */
  | { readonly at: "request" | "write" | "answer"; readonly run: () => void | Promise<void> };

export type FaultAnswer = {
  readonly status: number;
  readonly body: object | string;
  readonly headers?: Readonly<Record<string, string>>;
};

export type FaultPoint = FaultEffect["at"];

export type Faults = {
  inject(fault: Fault): void;
  /** The faults that hit this request; each one is counted once per request. */
  hitting(method: string): readonly Fault[];
};

export function createFaults(): Faults {
  const injected: { readonly fault: Fault; seen: number }[] = [];
  return {
    inject(fault) {
      injected.push({ fault, seen: 0 });
    },
    hitting(method) {
      return injected.flatMap((entry) => {
        if (entry.fault.method !== undefined && entry.fault.method !== method) return [];
        entry.seen += 1;
        const first = entry.fault.nth ?? 1;
        return entry.seen >= first && entry.seen < first + (entry.fault.times ?? 1) ? [entry.fault] : [];
      });
    },
  };
}
