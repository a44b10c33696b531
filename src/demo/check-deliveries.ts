import type { Answered } from "./play-call";
import { TENANTS, type RecordedCall, type RecordedEvent, type TenantName } from "./recorded-calls";
import type { Received } from "./tenant-server";

/** All that was seen in a run. */
export type Results = {
  /** What was to be sent. */
  readonly calls: readonly RecordedCall[];
  readonly answered: readonly Answered[];
  /** In the order of their arrival. */
  readonly received: readonly Received[];
};

export type TenantTally = {
  readonly tenant: TenantName;
  readonly sent: number;
  readonly acknowledged: number;
  /** How many of its events it got. */
  readonly received: number;
  readonly verified: number;
  readonly exact: number;
  readonly inOrder: boolean;
  readonly missing: number;
};

export type Verdict = {
  readonly tallies: readonly TenantTally[];
  /** Everything that is not as promised, each said in a sentence; empty when all is well. */
  readonly problems: readonly string[];
};

type Expected = { readonly call: RecordedCall; readonly event: RecordedEvent };

/**
 * Compares what the tenants got with what LiveKit sent: each event acknowledged, then delivered to the tenant that was
 * called and to nobody else, once, byte for byte, rightly signed, and in its call's order.
 */
export function checkDeliveries(results: Results): Verdict {
  const verdicts = TENANTS.map((tenant) => checkTenant(tenant, results));
  return { tallies: verdicts.map(({ tally }) => tally), problems: verdicts.flatMap(({ problems }) => problems) };
}

function checkTenant(tenant: TenantName, { calls, answered, received }: Results) {
  const problems: string[] = [];
  const own = calls.filter((call) => call.tenant === tenant);
  const expected = new Map(own.flatMap((call) => call.events.map((event) => [event.id, { call, event }] as const)));
  const answers = new Map(answered.map((answer) => [answer.event.id, answer.status]));
  const arrivals = new Map<string, Received>();

  for (const arrival of received.filter((each) => each.tenant === tenant)) {
    const known = expected.get(arrival.id);
    if (known === undefined) problems.push(`${tenant} got ${arrival.id}, which is not of its calls.`);
    else if (arrivals.has(arrival.id)) problems.push(`${tenant} got ${titleOf(known)} more than once.`);
    else arrivals.set(arrival.id, arrival);
  }

  let acknowledged = 0;
  let verified = 0;
  let exact = 0;
  for (const [id, each] of expected) {
    const status = answers.get(id);
    if (status === 200) acknowledged++;
    else if (!answers.has(id)) problems.push(`LiveKit did not get to send ${titleOf(each)}.`);
    else problems.push(`LiveKit got ${status ?? "no answer"} instead of 200 for ${titleOf(each)}.`);

    const arrival = arrivals.get(id);
    if (arrival === undefined) {
      problems.push(`${tenant} is missing ${titleOf(each)}.`);
      continue;
    }
    const { signatureProblem } = arrival;
    if (signatureProblem === undefined) verified++;
    else problems.push(`${tenant} cannot verify the signature of ${titleOf(each)}: ${signatureProblem}.`);
    const sent = Buffer.from(each.event.body);
    if (arrival.body.equals(sent)) exact++;
    else problems.push(`${tenant} got ${titleOf(each)} changed, from byte ${firstDifference(arrival.body, sent)} on.`);
  }

  const disordered = own.filter((call) => !isInOrder(call, [...arrivals.keys()]));
  for (const { caller, events } of disordered) {
    const names = [...arrivals.keys()].flatMap((id) => events.find((event) => event.id === id)?.name ?? []);
    problems.push(`${tenant} got the call from ${caller} out of order: ${names.join(", ")}.`);
  }

  const tally: TenantTally = {
    tenant,
    sent: answered.filter(({ event }) => expected.has(event.id)).length,
    acknowledged,
    received: arrivals.size,
    verified,
    exact,
    inOrder: disordered.length === 0,
    missing: expected.size - arrivals.size,
  };
  return { tally, problems };
}

function isInOrder({ events }: RecordedCall, arrivedIds: readonly string[]): boolean {
  const positions = arrivedIds.map((id) => events.findIndex((event) => event.id === id)).filter((at) => at >= 0);
  return positions.every((at, i) => at > (positions[i - 1] ?? -1));
}

function firstDifference(got: Buffer, sent: Buffer): number {
  const at = sent.findIndex((byte, i) => got[i] !== byte);
  return at < 0 ? sent.length : at;
}

const titleOf = ({ call, event }: Expected): string => `${event.name} (${event.id}, call from ${call.caller})`;
