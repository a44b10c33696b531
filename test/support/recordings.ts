import { readFileSync } from "node:fs";
import { isJsonObject, type JsonObject } from "../../src/domain/json";

/** A webhook as a real LiveKit sent it (`test/fixtures/livekit`). */
export type RecordedWebhook = {
  readonly receivedAt: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Exactly as sent. */
  readonly body: string;
  readonly json: JsonObject;
};

/** The key that the recorded webhooks were signed with. */
export const RECORDED_KEY = { apiKey: "devkey", apiSecret: "0123456789abcdef0123456789abcdef" } as const;

export function recordedWebhooks(name: "answered-call" | "conference" | "to-headers"): readonly RecordedWebhook[] {
  return jsonLines(`${name}.jsonl`).map((line) => {
    const body = String(line.body);
    return { ...line, body, json: objectOf(JSON.parse(body)) } as RecordedWebhook;
  });
}

/** The lines of a recording, as JSON. */
export function jsonLines(file: string): readonly JsonObject[] {
  const text = readFileSync(new URL(`../fixtures/livekit/${file}`, import.meta.url), "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => objectOf(JSON.parse(line)));
}

function objectOf(value: unknown): JsonObject {
  if (!isJsonObject(value)) throw new Error("not a JSON object");
  return value;
}
