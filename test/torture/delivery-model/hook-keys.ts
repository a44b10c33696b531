import { hookId } from "../../../src/domain/hook";
import { pattern } from "../../support/webhooks";

/** A hook is the same as long as its host and its tenant are. */
export const hookKey = (host: string, tenant: string): string => `${host}|${tenant}`;
export const laneKey = (hook: string, roomSid: string): string => `${hook} ${roomSid}`;

/** The hook's tenant and host are in its url, so that the endpoint shows whose it is. */
export const urlOf = (host: string, tenant: string, version: number): string =>
  `https://${tenant}.example/${host}/${version}`;

export function hookOfUrl(url: string): string {
  const { hostname, pathname } = new URL(url);
  return hookKey(pathname.split("/")[1] ?? "", hostname.replace(".example", ""));
}

/** The id under which the service knows a hook of the model. */
export function hookIdOf(key: string): string {
  const [host = "", tenant] = key.split("|");
  return hookId(pattern(host), tenant);
}
