import { silentLogger } from "../support/silent-logger";
import { createAsking } from "../../plugins/webhook-forwarder/router";
import { matchParticipant, type MatchOptions } from "../../plugins/webhook-forwarder/router/match-participant";
import { builtInMatchers } from "../../plugins/webhook-forwarder/matchers";
import { systemClock } from "../../src/contracts/clock";
import { hookId, type Hook } from "../../src/domain/hook";
import { HookTable } from "../../src/domain/hook-table";
import { parseHostPattern } from "../../src/domain/host-pattern";
import { isJsonObject } from "../../src/domain/json";
import { readLiveKitEvent } from "../../src/domain/livekit-event";
import { selectMatchers } from "../../src/select-matchers";
import { caller, webhookJson } from "../../test/support/webhooks";
import type { Measure } from "../measure";

const SIZES = [1, 1_000, 100_000] as const;
const KINDS = ["exact", "wildcard", "none"] as const;
type Kind = (typeof KINDS)[number];
const EVENTS = 1_000;
const TIMES = 5;
const SLICES = 60;

/** What it costs to read an event and find its hook, in tables of different sizes; in this process, microseconds. */
export const routing: Measure = {
  name: "routing",
  async round() {
    const subjects = KINDS.flatMap((kind) =>
      SIZES.map((size) => ({ name: `${kind} ${size}`, run: prepare(kind, size) })),
    );
    const raw: Record<string, number> = Object.fromEntries(subjects.map(({ name }) => [name, Infinity]));
    // In turn, and the best of each: the first ones warm the code up for all, and a slice holds a collection or does not.
    for (let slice = 0; slice < SLICES; slice++) {
      for (const { name, run } of subjects) raw[name] = Math.min(raw[name] ?? Infinity, run());
    }
    return raw;
  },
  figures: (median) =>
    KINDS.flatMap((kind) => [
      { name: `${kind}, one hook`, value: median(`${kind} 1`), unit: "us" },
      ...SIZES.filter((size) => size > 1).map((size) => ({
        name: `${kind}, ${size.toLocaleString("en-US")} hooks, of one's`,
        value: median(`${kind} ${size}`) / median(`${kind} 1`),
        atMost: 1.5,
      })),
    ]),
};

const options: MatchOptions = {
  matchers: selectMatchers(["exact-host", "wildcard-host"], builtInMatchers([]), []),
  hostHeaders: ["To"],
  setRoomOwner: true,
  asking: createAsking({
    clock: systemClock,
    log: silentLogger,
    deadlineMs: 2_000,
    history: { remembered: () => Promise.reject(new Error("no built-in matcher looks at a call's memory")) },
  }),
};

/** @returns a slice of the measuring, which returns microseconds an event. */
function prepare(kind: Kind, size: number): () => number {
  const table = new HookTable(Array.from({ length: size }, (_, i) => hookOf(kind, i)));
  const events = Array.from({ length: EVENTS }, (_, i) => eventTo(calledHost(kind, Math.floor((i * size) / EVENTS))));
  return () => {
    let matched = 0;
    const began = performance.now();
    for (let i = 0; i < TIMES; i++) {
      for (const { json, body } of events) {
        const match = matchParticipant(readLiveKitEvent(json, body), table, options);
        if (match !== undefined && "kind" in match && match.kind === "hook") matched++;
      }
    }
    const took = performance.now() - began;
    if (matched !== (kind === "none" ? 0 : EVENTS * TIMES)) throw new Error(`${matched} events were matched`);
    return (took * 1000) / (EVENTS * TIMES);
  };
}

function hookOf(kind: Kind, i: number): Hook {
  const host = parseHostPattern(`${kind === "wildcard" ? "*." : ""}tenant-${i}.example.com`);
  if (host === undefined) throw new Error("no host");
  return { id: hookId(host, `t${i}`), host, url: "https://hooks.example.com/", authId: `t${i}`, source: "config" };
}

function calledHost(kind: Kind, i: number): string {
  if (kind === "none") return `nobody-${i}.example.com`;
  return kind === "exact" ? `tenant-${i}.example.com` : `a.tenant-${i}.example.com`;
}

function eventTo(host: string): { readonly json: Parameters<typeof readLiveKitEvent>[0]; readonly body: Uint8Array } {
  const json: unknown = webhookJson("participant_joined", {
    room: { sid: "RM_1", name: "sip-_1" },
    participant: caller("PA_1", host),
  });
  if (!isJsonObject(json)) throw new Error("no object");
  return { json, body: Buffer.from(JSON.stringify(json)) };
}
