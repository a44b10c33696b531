import type { JsonObject } from "../../src/domain/json";
import type { Change } from "./change";
import type { LiveKitSip } from "./patient-call";
import { ProvisioningError, type ProvisioningProblem, type Resource } from "./provisioning-error";
import { resolveDuplicates } from "./resolve-duplicates";
import { readItem, readItems, type SipApi, type SipItem } from "./sip-items";

/** One trunk or rule as it is to be. */
export type Wanted = {
  readonly resource: Resource;
  readonly api: SipApi;
  readonly newRequest: JsonObject;
  readonly plan: (item: SipItem) => Change | undefined;
};

export type Ensured = {
  readonly id: string;
  /**
   * True when it was not simply there: another instance may be at it as well, and may have built on what is gone now.
   */
  readonly disturbed: boolean;
  /** Everything of this kind, ours and others'. */
  readonly items: readonly SipItem[];
};

/** Each creation, or refusal, is followed by another look; one or two are usual. */
const MAX_WRITES = 6;
/** Milliseconds between looks while there are several. */
const POLL = 1_000;

/**
 * Makes the one trunk or rule of our name be there as wanted: list, create, list again, resolve, change. A change is
 * not listed again: of two instances with different configurations the last one wins, instead of both changing it for
 * ever.
 *
 * @throws {ProvisioningError}
 */
export async function ensureResource(wanted: Wanted, livekit: LiveKitSip): Promise<Ensured> {
  // Forgotten when this function ends: what was seen to be the only one is never withdrawn.
  const created = new Set<string>();
  let refusals: readonly string[] = [];
  let severalSince: number | undefined;
  let disturbed = false;
  for (let writes = 0; writes < MAX_WRITES; disturbed = true) {
    const items = await list(wanted, livekit);
    const ours = items.filter((item) => item.name === wanted.resource.name);
    const [first] = ours;
    if (ours.length > 1) {
      severalSince ??= livekit.now();
      await settle(wanted, livekit, { ours, created, waited: livekit.now() - severalSince });
      continue;
    }
    severalSince = undefined;
    const change = first === undefined ? undefined : wanted.plan(first);
    if (first !== undefined && change === undefined) return { id: first.id, disturbed, items };

    const [refusal] = refusals;
    if (refusal !== undefined) checkConflict(wanted, refusal, items, refusals.length > 1);
    const refused =
      change === undefined ? await create(wanted, livekit, created) : await apply(wanted, livekit, change);
    if (first !== undefined && refused === undefined) {
      return { id: first.id, disturbed: disturbed || change?.tiesTrunk === true, items };
    }
    refusals = refused === undefined ? [] : [refused, ...refusals];
    writes += 1;
  }
  throw new ProvisioningError(wanted.resource, {
    cause: "it disappears as often as it is made",
    hint: "Find out what other program changes LiveKit's SIP settings.",
  });
}

async function list({ resource, api }: Wanted, livekit: LiveKitSip): Promise<readonly SipItem[]> {
  const answer = await livekit.call(resource, api.list, {});
  const items = answer.kind === "ok" ? readItems(api, answer.body) : undefined;
  if (items === undefined) throw new ProvisioningError(resource, noLiveKit(api.list));
  return items;
}

/** Returns LiveKit's message when it refused. */
async function create(wanted: Wanted, livekit: LiveKitSip, created: Set<string>): Promise<string | undefined> {
  const { resource, api } = wanted;
  const answer = await livekit.call(resource, api.create, wanted.newRequest);
  if (answer.kind === "conflict") return answer.refusal.message ?? "";
  const item = readItem(api, answer.body);
  if (item === undefined) throw new ProvisioningError(resource, noLiveKit(api.create));
  created.add(item.id);
  livekit.log.info({ resource: resource.name, id: item.id }, `SIP ${resource.kind} created`);
  return undefined;
}

/** Returns LiveKit's message when it refused. */
async function apply(wanted: Wanted, livekit: LiveKitSip, change: Change): Promise<string | undefined> {
  const { resource, api } = wanted;
  livekit.log.info(
    { resource: resource.name, by: change.by, differences: change.differences },
    `SIP ${resource.kind} differs from the configuration, changing it`,
  );
  const answer = await livekit.call(resource, api.update, change.request);
  if (answer.kind === "conflict") return answer.refusal.message ?? "";
  const item = readItem(api, answer.body);
  if (item === undefined) throw new ProvisioningError(resource, noLiveKit(api.update));
  const left = wanted.plan(item);
  if (left !== undefined) {
    throw new ProvisioningError(resource, {
      cause: `LiveKit does not keep ${Object.keys(left.differences).join(", ")}`,
      hint: "Update LiveKit: livekit-server 1.9.1 or newer is needed.",
    });
  }
  return undefined;
}

type Several = { readonly ours: readonly SipItem[]; readonly created: Set<string>; readonly waited: number };

async function settle({ resource, api }: Wanted, livekit: LiveKitSip, several: Several): Promise<void> {
  const { created, waited } = several;
  const ids = several.ours.map((item) => item.id);
  const move = resolveDuplicates(ids, created, waited);
  switch (move.kind) {
    case "wait":
      await livekit.pause(POLL);
      return;
    case "withdraw":
      for (const id of move.ids) {
        // A refusal says that it is gone already.
        await livekit.call(resource, api.remove, { [api.idMember]: id });
        created.delete(id);
        livekit.log.info(
          { resource: resource.name, id },
          `Another instance created the SIP ${resource.kind} at the same time: ours of a moment ago is withdrawn`,
        );
      }
      return;
    case "give up":
      throw new ProvisioningError(resource, {
        cause: `there are ${ids.length} of this name (${ids.join(", ")}), and calls fail until there is one`,
        hint: `Remove all but one: ${api.deleteCommand} ${ids.slice(1).join(" ")}`,
      });
  }
}

/**
 * After a refusal, and a list that does not show ours either. Whoever stands in the way is named, by the ids that
 * LiveKit's message quotes. When nobody does, another instance may just have withdrawn its own: then it is worth
 * another try.
 */
function checkConflict({ api, resource }: Wanted, message: string, items: readonly SipItem[], again: boolean): void {
  const quoted = new Set([...message.matchAll(/"([^"]+)"/g)].map(([, text]) => text));
  const others = items.filter((item) => quoted.has(item.id) && item.name !== resource.name);
  if (others.length > 0) {
    const named = others.map((item) => `${item.name || "without a name"} (${item.id})`).join(" and ");
    throw new ProvisioningError(resource, {
      cause: `LiveKit refuses it because of the ${resource.kind} ${named}: ${message}`,
      hint: `${api.conflictHint}: ${others.map((item) => `${api.deleteCommand} ${item.id}`).join("; ")}`,
    });
  }
  if (again) {
    throw new ProvisioningError(resource, {
      cause: `LiveKit refuses it: ${message}`,
      hint: "Change what LiveKit complains about, and start again.",
    });
  }
}

const noLiveKit = (method: string): ProvisioningProblem => ({
  cause: `what answers at livekit.url is no LiveKit with a SIP API (${method} gave an answer of an unknown form)`,
  hint: "Check livekit.url (LIVEKIT_URL).",
});
