import type { Json } from "./proto-json";
import { TwirpFailure } from "./twirp-failure";

/** The strings of a repeated field, none when it is not set. */
export const strings = (message: Json, field: string): string[] => {
  const value = message[field];
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
};

/** The string of a field, empty when it is not set. */
export const text = (message: Json, field: string): string => {
  const value = message[field];
  return typeof value === "string" ? value : "";
};

/** Applies a ListUpdate as LiveKit's `applyListUpdate`; an empty one is refused. */
export function applyListUpdate(message: Json, field: string, update: Json): void {
  const [set, add, remove] = [strings(update, "set"), strings(update, "add"), strings(update, "remove")];
  const clear = update["clear"] === true;
  const change = set.length + add.length + remove.length > 0;
  if (!clear && !change) throw invalid("unsupported list update operation");
  if (clear && change) throw invalid("cannot clear and change the list at the same time");
  if (set.length > 0 && add.length + remove.length > 0) {
    throw invalid("cannot set and change the list at the same time");
  }
  if ([...set, ...add, ...remove].includes("")) throw invalid("empty element in the list");
  const kept = strings(message, field).filter((item) => !remove.includes(item));
  const added = add.filter((item) => !kept.includes(item));
  message[field] = clear ? [] : set.length > 0 ? set : [...kept, ...added];
}

export const invalid = (message: string): TwirpFailure => new TwirpFailure("invalid_argument", message);
