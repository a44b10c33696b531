/** Storages, right ones and broken ones; run by storage-suites.test.ts, which expects the suites to tell them apart. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CommitResult, Storage } from "../../src/contracts/storage";
import { testConcurrency, testCrashes, testSharing } from "../../src/testing";
import openSqlite from "../plugins/storage/open-sqlite";

async function place() {
  const directory = await mkdtemp(join(tmpdir(), "sayna-sip-"));
  return { place: directory, remove: () => rm(directory, { recursive: true }) };
}

/** Says that events are kept, and keeps them a moment later. */
export async function openHasty(directory: string): Promise<Storage> {
  const storage = await openSqlite(directory);
  const said: CommitResult = {
    kind: "kept",
    roomSid: undefined,
    hooks: [],
    held: false,
    unmatchedParticipant: false,
    ownerTask: undefined,
  };
  return {
    ...storage,
    commit: async (events, plan) => {
      if (process.argv.length < 4) return storage.commit(events, plan);
      setTimeout(() => void storage.commit(events, plan), 20);
      return events.map(() => said);
    },
  };
}

export default openHasty;

/** Two handles of one storage, of which each leases the lanes that it claims, or does not. */
async function shared(leasing: boolean) {
  const { place: directory, remove } = await place();
  const storage = await openSqlite(directory);
  const leases = new Map<number, symbol>();
  let claiming: Promise<unknown> = Promise.resolve();
  function handle(): Storage {
    const own = Symbol("instance");
    const foreign = () => [...leases].flatMap(([lane, owner]) => (leasing && owner !== own ? [lane] : []));
    return {
      ...storage,
      claim: (hook, options) => {
        const claimed = claiming.then(async () => {
          const busy = new Set([...options.busy, ...foreign()]);
          // Of what is there each of the two gets a part.
          const claim = await storage.claim(hook, { ...options, limit: Math.ceil(options.limit / 2), busy });
          for (const { lane } of claim.deliveries) leases.set(lane, own);
          return claim;
        });
        claiming = claimed;
        return claimed;
      },
      settle: async (settlements) => {
        await storage.settle(settlements);
        for (const { delivery } of settlements) leases.delete(delivery.lane);
      },
      close: async () => {
        for (const [lane, owner] of leases) if (owner === own) leases.delete(lane);
      },
    };
  }
  const removeAll = async () => {
    await storage.close();
    await remove();
  };
  return { open: async () => handle(), beside: async () => handle(), remove: removeAll };
}

/** Gives out what is behind a lane's head as well. */
async function disordered() {
  const { place: directory, remove } = await place();
  const unordered = () => "unordered" as const;
  const open = async () => {
    const storage = await openSqlite(directory);
    const claim: Storage["claim"] = async (hook, options) => {
      const { deliveries, nextDue } = await storage.claim(hook, options);
      return { deliveries: deliveries.toReversed(), nextDue };
    };
    const commit: Storage["commit"] = (events) => storage.commit(events, unordered);
    return { ...storage, claim, commit };
  };
  return { open, remove };
}

const CASES: Readonly<Record<string, () => void>> = {
  "shares with leases": () => testSharing("storage", () => shared(true)),
  "shares without leases": () => testSharing("storage", () => shared(false)),
  disordered: () => testConcurrency("storage", disordered),
  hasty: () => testCrashes("storage", { module: import.meta.path, create: place }),
};

CASES[process.env.STORAGE_CASE ?? ""]?.();
