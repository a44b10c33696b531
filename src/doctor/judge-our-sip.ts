import type { Difference, Preview, ResourcePreview } from "../../plugins/provisioner";
import { problem, warning, type Finding, type FindingText } from "./finding";

const MEND = "sayna-sip provision (with --dry-run it shows what it would do), or restart the service.";

/** How LiveKit's trunk and rule of our names differ from the configuration. */
export function judgeOurSip({ trunk, rule }: Preview): readonly Finding[] {
  const missingTrunk = trunk.state === "missing";
  return [
    ...judgeResource(trunk, "trunk", "LiveKit refuses the calls that come in, or gives them to another trunk."),
    ...trunkDifferences(trunk),
    ...judgeResource(rule, "rule", "LiveKit has no room for the calls that come in."),
    // Of a trunk that is missing, the rule cannot be tied to it: that is told already.
    ...ruleDifferences(rule, missingTrunk),
  ];
}

function judgeResource({ resource, state, ids }: ResourcePreview, code: string, why: string): readonly Finding[] {
  const { kind, name } = resource;
  if (state === "missing") {
    return [problem("trunk and rule", `${code}_missing`, { what: `There is no ${kind} ${name}.`, why, mend: MEND })];
  }
  if (state !== "several") return [];
  const command = kind === "trunk" ? "lk sip inbound delete" : "lk sip dispatch delete";
  return [
    problem("trunk and rule", `${code}_several`, {
      what: `There are ${ids.length} ${kind}s ${name}: ${ids.join(", ")}.`,
      why: "LiveKit does not know which one to take, and calls fail.",
      mend: `Remove all but one: ${command} ${ids.slice(1).join(" ")}`,
    }),
  ];
}

function trunkDifferences({ resource, state, differences }: ResourcePreview): readonly Finding[] {
  if (state !== "differs") return [];
  const headers = Object.keys(differences).flatMap((field) => {
    const [, header] = /^headers_to_attributes\.(.*)$/.exec(field) ?? [];
    return header === undefined ? [] : [header];
  });
  const addresses = differences["allowed_addresses"];
  return [
    ...(headers.length === 0 ? [] : [headersNotMapped(`The trunk ${resource.name}`, headers, MEND)]),
    ...(addresses === undefined ? [] : [judgeAddresses(resource.name, addresses)]),
  ];
}

export const headersNotMapped = (trunk: string, headers: readonly string[], mend: string): Finding =>
  problem("trunk and rule", "headers_not_mapped", {
    what: `${trunk} makes no attribute of ${headers.join(" and ")}.`,
    why: "The called host is read from there: without it no call finds its hook.",
    mend,
  });

function judgeAddresses(name: string, { from, to }: Difference): Finding {
  const [has, wants] = [toSet(from), toSet(to)];
  const missing = [...wants.difference(has)].join(", ");
  const extra = [...has.difference(wants)].join(", ");
  if (has.size === 0) {
    return warning("trunk and rule", "allowlist_open", {
      what: `The trunk ${name} has no allowed_addresses.`,
      why: "LiveKit takes calls from everywhere then.",
      mend: MEND,
    });
  }
  if (missing === "") {
    return warning("trunk and rule", "allowlist_wider", {
      what: `The trunk ${name} lets in ${extra}, which the configuration does not.`,
      why: "Calls come in from where none should.",
      mend: MEND,
    });
  }
  const also = extra === "" ? "" : ` It lets in ${extra}, which the configuration does not.`;
  return problem("trunk and rule", "allowlist_differs", {
    what: `The trunk ${name} does not let in ${missing}.${also}`,
    why: "Calls from there are refused by LiveKit.",
    mend: MEND,
  });
}

const toSet = (list: unknown): Set<string> => new Set(Array.isArray(list) ? list.map(String) : []);

function ruleDifferences({ resource, state, differences }: ResourcePreview, missingTrunk: boolean): readonly Finding[] {
  if (state !== "differs") return [];
  const { name } = resource;
  const findings: Finding[] = [];
  const told = (code: string, field: string, judge: (difference: Difference) => FindingText): void => {
    const found = differences[field];
    if (found !== undefined) findings.push(problem("trunk and rule", code, judge(found)));
  };
  told("rule_other_rooms", "rule", ({ from, to }) => ({
    what: `The dispatch rule ${name} makes rooms by "${String(from)}", and the configuration says "${String(to)}".`,
    why: "Rooms whose names do not begin with room_prefix are no SIP calls here: their events are not kept.",
    mend: MEND,
  }));
  if (!missingTrunk) {
    told("rule_not_tied", "trunk_ids", ({ from }) => ({
      what: `The dispatch rule ${name} is not tied to our trunk, but to ${textOf(from) || "none"}.`,
      why: toSet(from).size === 0 ? OPEN_RULE : "Calls that our trunk takes find no rule, and are refused.",
      mend: MEND,
    }));
  }
  const capacity = differences["room_config.max_participants"];
  if (capacity !== undefined) {
    findings.push(
      warning("trunk and rule", "rule_other_capacity", {
        what: `The dispatch rule ${name} lets ${capacity.from === null ? "any number of" : JSON.stringify(capacity.from)} participants into a room, and the configuration ${JSON.stringify(capacity.to)}.`,
        why: "With too few an agent cannot join the call.",
        mend: MEND,
      }),
    );
  }
  return findings;
}

const textOf = (list: unknown): string => [...toSet(list)].join(", ");

/** livekit/sip issue 460. */
export const OPEN_RULE = "It takes what no trunk took: calls from addresses that allowed_addresses forbids.";
