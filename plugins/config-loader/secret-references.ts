import { readFileSync } from "node:fs";
import { parseSecretSource } from "../../src/domain/secret";
import { reason } from "./config-file";
import type { Environment } from "./environment";
import { itemsAt, label, replaceAt, valueAt, type Pointer } from "./pointer";
import { quote } from "./quote";
import type { Report } from "./report";

/**
 * Puts the values of `env:NAME` and `file:PATH` in the place of the references that are needed from the start on:
 * LiveKit's and the API's secrets. Hooks keep their references, which are read for each use; but a variable that is
 * missing now stays missing, since a process keeps its environment: that is a problem at once. A hook's file may still
 * come (a mounted secret, an agent that writes it).
 */
export function resolveReferences(tree: Record<string, unknown>, env: Environment, report: Report): void {
  const needed = [
    "/livekit/api_secret",
    ...itemsAt(tree, "/livekit/webhook_keys").map(({ at }) => `${at}/api_secret`),
    ...itemsAt(tree, "/auth/api_secrets").map(({ at }) => `${at}/secret`),
  ];
  for (const at of needed) {
    const value = valueAt(tree, at);
    if (typeof value === "string") replaceAt(tree, at, readReference(value, at, env, report));
  }
  for (const at of lateReferences(tree)) {
    const value = valueAt(tree, at);
    if (typeof value === "string" && value.startsWith("env:")) readReference(value, at, env, report);
  }
}

/** Where references may be that are read for each use. */
function lateReferences(tree: unknown): Pointer[] {
  const global = ["hook_secret", "previous_hook_secret/secret", "signing_key", "previous_signing_key/key"];
  const ofHook = ["secret", "previous_secret/secret", ...CREDENTIALS.map((path) => `credentials/${path}`)];
  return [
    ...global.map((path) => `/sip/${path}`),
    ...itemsAt(tree, "/sip/hooks").flatMap(({ at }) => ofHook.map((path) => `${at}/${path}`)),
  ];
}

const CREDENTIALS = [
  "bearer",
  "basic/password",
  "header/value",
  "client_certificate/certificate",
  "client_certificate/key",
];

/** What the reference stands for, the text itself when it is none, or undefined when that is a problem. */
export function readReference(text: string, at: Pointer, env: Environment, report: Report): string | undefined {
  const source = parseSecretSource(text);
  if (source.kind === "env") return readVariable(source.name, at, env, report);
  return source.kind === "file" ? readSecretFile(source.path, at, report) : text;
}

function readVariable(name: string, at: Pointer, env: Environment, report: Report): string | undefined {
  const value = env[name];
  if (value !== undefined && value !== "") return value;
  const message = `${label(at)} refers to the variable ${quote(name)}, which is not set`;
  report.add(at, message, "Set the variable, or change the reference.");
  return undefined;
}

function readSecretFile(path: string, at: Pointer, report: Report): string | undefined {
  try {
    // Files that hold one secret end in a line break more often than not.
    return readFileSync(path, "utf8").replace(/\r?\n$/, "");
  } catch (error) {
    // Fails closed because without it nobody could authenticate, or no webhook could be verified.
    const message = `${label(at)} refers to the file ${quote(path)}, which cannot be read: ${reason(error)}`;
    report.add(at, message, "Make the file readable for this user, or change the reference.");
    return undefined;
  }
}
