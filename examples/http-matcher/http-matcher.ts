import { LRUCache } from "lru-cache";
import { defineMatcher, defineRoute, Option, Type, type MatchAnswer, type MatchView } from "sayna-sip";
import { lookUp, type Entry } from "./look-up";

/** Gives calls to hooks by the called number, which an HTTP directory knows, and remembers its answers for a while. */
export default defineMatcher({
  name: "http-numbers",
  contract: "1.0",
  options: Type.Object({
    url: Type.String({
      description: "The directory's address, with `{number}` in it.",
      pattern: "^https?://.*\\{number\\}",
    }),
    token: Type.Optional(
      Option.secret({ description: "Sent as a bearer token: a literal, `env:NAME` or `file:PATH`." }),
    ),
    timeout: Option.duration({
      description: "How long one look-up may take; less than `sip.matcher_deadline`.",
      default: "1s",
    }),
    keep: Option.duration({ description: "How long an answer is used.", default: "5m" }),
    keep_unknown: Option.duration({ description: "How long a number counts as unknown.", default: "30s" }),
    numbers: Type.Integer({
      description: "How many numbers are remembered.",
      default: 10_000,
      minimum: 1,
      maximum: 1_000_000,
    }),
  }),

  create({ options: { url, token, timeout, keep, keep_unknown: keepUnknown, numbers }, clock, metrics }) {
    const lookUps = metrics.counter({
      name: "lookups_total",
      help: "Questions to the directory.",
      labels: { result: ["found", "unknown", "failed"] },
    });
    const seconds = metrics.histogram({
      name: "lookup_seconds",
      help: "How long the directory took.",
      buckets: [0.01, 0.05, 0.1, 0.5, 1, 2],
    });

    // One look-up for all who ask for the same number meanwhile; a failed one is not remembered.
    const cache = new LRUCache<string, Entry>({
      max: numbers,
      ttl: keep,
      perf: { now: () => clock.monotonic() },
      ttlResolution: 0,
      async fetchMethod(number, _, { options }) {
        const began = clock.monotonic();
        try {
          const entry = await lookUp(number, { url, token, timeoutMs: timeout });
          lookUps.add({ result: entry.host === undefined ? "unknown" : "found" });
          if (entry.host === undefined) options.ttl = keepUnknown;
          return entry;
        } catch (error) {
          lookUps.add({ result: "failed" });
          throw error;
        } finally {
          seconds.observe((clock.monotonic() - began) / 1000);
        }
      },
    });

    function answer(entry: Entry, hooks: MatchView["hooks"]): MatchAnswer {
      if (entry.host === undefined) return { kind: "not-mine" };
      const hook = hooks.byHost(entry.host);
      // The number is somebody's whose hook is not there yet: nobody else gets the call.
      return hook === undefined ? { kind: "none" } : { kind: "hook", hook };
    }

    return {
      // What is known is answered without a promise. What rejects leaves the caller undecided, which loses nothing.
      match({ called: { number }, hooks }) {
        if (number === undefined) return { kind: "not-mine" };
        const known = cache.get(number);
        return known === undefined
          ? cache.forceFetch(number).then((entry) => answer(entry, hooks))
          : answer(known, hooks);
      },
      routes: [
        defineRoute({
          method: "DELETE",
          path: "/numbers",
          access: "operator",
          summary: "Forget what the directory said",
          handle: () => {
            const forgotten = cache.size;
            cache.clear();
            return { forgotten };
          },
        }),
      ],
    };
  },
});
