import { KindGuard, type TSchema } from "@sinclair/typebox";
import { sameValue } from "../../src/domain/same-value";
import { Secret } from "../../src/domain/secret";
import type { Config, SipConfig } from "./config";
import { child, label, valueAt, type Pointer } from "./pointer";
import { ConfigSchema } from "./schema";

/** What a reload puts in force. Everything else is what something was started with: a port, a database, LiveKit's trunk. */
export const RELOADED_SETTINGS = ["auth", "retention", "log.level"] as const;
export const RELOADED_SIP_SETTINGS = [
  "hooks",
  "delivery",
  "hook_secret",
  "previous_hook_secret",
  "signing_key",
  "previous_signing_key",
  "matchers",
  "routes",
  "allowed_hook_ranges",
  "allowed_secret_refs",
] as const satisfies readonly (keyof SipConfig)[];

/** A setting of the file that counts after a restart only. Secrets are `[secret]`. */
export type WaitingChange = { readonly setting: string; readonly before: string; readonly after: string };

export type ReloadPlan = {
  /** What is to be in force: the running configuration with what can be taken over from the next one. */
  readonly config: Config;
  /** The settings that are other ones now, as people write them: `sip.hooks`. */
  readonly changed: readonly string[];
  readonly waiting: readonly WaitingChange[];
};

/**
 * What of `next` takes effect without a restart. When `plugins` differ, `sip.matchers` and `sip.routes` wait with them, since
 * they may name what only the new ones bring. SIP is switched on and off by a restart.
 */
export function planReload(running: Config, next: Config): ReloadPlan {
  const config: Config = {
    ...running,
    auth: next.auth,
    retention: next.retention,
    log: { ...running.log, level: next.log.level },
    sip: reloadedSip(running, next),
  };
  const settings = settingsIn(ConfigSchema, "").filter((at) => !isWithin(at, "/sip") || bothHaveSip(running, next));
  const differ = (one: Config, other: Config) =>
    settings.filter((at) => !sameValue(comparable(one, at), comparable(other, at)));
  const waiting = differ(config, next).map((at) => describe(at, running, next));
  return {
    config,
    changed: differ(running, config).map(label),
    waiting: bothHaveSip(running, next) || running.sip === next.sip ? waiting : [...waiting, sipSwitch(next)],
  };
}

function reloadedSip(running: Config, next: Config): SipConfig | undefined {
  if (running.sip === undefined || next.sip === undefined) return running.sip;
  const keepMatching = !sameValue(comparable(running, "/plugins"), comparable(next, "/plugins"));
  const names = RELOADED_SIP_SETTINGS.filter((name) => !keepMatching || (name !== "matchers" && name !== "routes"));
  return takeOver(running.sip, next.sip, names);
}

/** A setting that the next one does not have is not there either. */
function takeOver<T extends object>(running: T, next: T, names: readonly (keyof T)[]): T {
  const result = { ...running };
  for (const name of names) {
    if (Object.hasOwn(next, name)) result[name] = next[name];
    else Reflect.deleteProperty(result, name);
  }
  return result;
}

const bothHaveSip = (a: Config, b: Config): boolean => a.sip !== undefined && b.sip !== undefined;
const isWithin = (at: Pointer, parent: Pointer): boolean => at === parent || at.startsWith(`${parent}/`);

/** Every setting that is a value of its own; a list is one. */
function settingsIn(schema: TSchema, at: Pointer): Pointer[] {
  if (!KindGuard.IsObject(schema)) return [at];
  return Object.entries(schema.properties).flatMap(([name, member]) => settingsIn(member, child(at, name)));
}

function comparable(config: Config, at: Pointer): unknown {
  // Where a plugin's options were read from is no part of them.
  if (at === "/plugins") return config.plugins.map(({ module, name, options }) => ({ module, name, options }));
  return valueAt(config, at);
}

function describe(at: Pointer, running: Config, next: Config): WaitingChange {
  const before = shown(at, running);
  const after = shown(at, next);
  return { setting: label(at), before, after: before === after ? `another ${after}` : after };
}

function shown(at: Pointer, config: Config): string {
  // Options are not shown, because any of them may be a secret.
  if (at === "/plugins") return JSON.stringify(config.plugins.map(({ module, name }) => name ?? module));
  const value = valueAt(config, at);
  if (typeof value === "string" || value instanceof Secret) return String(value);
  return JSON.stringify(value) ?? "none";
}

const sipSwitch = ({ sip }: Config): WaitingChange =>
  sip === undefined ? { setting: "sip", before: "on", after: "off" } : { setting: "sip", before: "off", after: "on" };
