import { isJsonObject } from "../../src/domain/json";

/** What a room's metadata says about its owner, and what is to be written. */
export type Ownership =
  | { readonly kind: "already owned" }
  /** `merged`: into what somebody else has written, who may write again at any moment. */
  | { readonly kind: "write"; readonly metadata: string; readonly merged: boolean }
  | { readonly kind: "other owner"; readonly owner: unknown }
  | { readonly kind: "no JSON object" };

/**
 * Reads the metadata of a room that is to belong to `authId`. Whatever `auth_id` is already there, of whatever type, is
 * somebody's, and never overwritten.
 */
export function readOwnership(metadata: string, authId: string): Ownership {
  if (metadata === "") return { kind: "write", metadata: JSON.stringify({ auth_id: authId }), merged: false };
  const parsed = parseJson(metadata);
  if (!isJsonObject(parsed)) return { kind: "no JSON object" };
  if (!Object.hasOwn(parsed, "auth_id")) {
    const isEmpty = Object.keys(parsed).length === 0;
    return { kind: "write", metadata: addMember(metadata, isEmpty, authId), merged: true };
  }
  const owner = parsed["auth_id"];
  return owner === authId ? { kind: "already owned" } : { kind: "other owner", owner };
}

/** Written into the text, so that the other members keep every byte: long numbers, doubled names, white space. */
function addMember(object: string, isEmpty: boolean, authId: string): string {
  const end = object.lastIndexOf("}");
  return `${object.slice(0, end)}${isEmpty ? "" : ","}"auth_id":${JSON.stringify(authId)}${object.slice(end)}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
