import { distance } from "fastest-levenshtein";
import type { ConfigProblem } from "./config-error";
import { VARIABLE_NAMES } from "./variables";

const OURS = /^(SIP|AUTH|LIVEKIT)_/;
/** A letter missing, doubled or wrong, or two exchanged. */
const MOST_ERRORS = 2;

/**
 * Variables that were meant to be one of ours: a misspelt SIP_ROOM_PREFIX would silently lose every call. Only names with a
 * prefix of ours count, at most two letters off or without their _JSON, and only while the right one is not set:
 * environments hold foreign variables too (LIVEKIT_KEYS is LiveKit's own, Kubernetes adds SIP_PORT for a service "sip"), and
 * those must not keep the service from starting.
 */
export function misspeltVariables(env: Readonly<Record<string, string | undefined>>): ConfigProblem[] {
  return Object.keys(env).flatMap((name) => {
    const upper = name.toUpperCase();
    if (!OURS.test(upper) || VARIABLE_NAMES.includes(name)) return [];
    const meant = VARIABLE_NAMES.find((known) => !env[known] && isSlip(upper, known));
    if (meant === undefined) return [];
    return [
      { message: `${name} is not a known variable`, source: name, hint: `Did you mean ${meant}? Else rename it.` },
    ];
  });
}

const isSlip = (name: string, known: string): boolean =>
  `${name}_JSON` === known || distance(name, known) <= MOST_ERRORS;
