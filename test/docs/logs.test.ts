import { describe, expect, test } from "bun:test";
import { Guide } from "./guide";
import { loggedMessages, sentencesIn } from "./logged-messages";

const guide = await Guide.open("logs.md");
const { text } = guide;
await guide.remove();
const tables = text.slice(text.indexOf("\n## Warnings and errors\n"));
const documented = [...tables.matchAll(/^\| `([^`]+)` +\|/gm)].map(([, message = ""]) => message);
const { messages, elsewhere } = loggedMessages();

/** Where messages are put together, or chosen from a list; and what else is said there, at `info` or thrown. */
const CHOSEN_IN: Readonly<Record<string, readonly string[]>> = {
  "plugins/plugin-host/create-plugins.ts": ["The plugin … cannot start: …"],
  "plugins/retention/create-retention.ts": ["The storage has room again"],
  "plugins/webhook-forwarder/router/freshness.ts": [],
  "plugins/webhook-forwarder/router/matcher-failures.ts": [],
  "plugins/config-loader/startup-notes.ts": [
    "MANAGEMENT_HOST=127.0.0.1 (server.management.host), or ",
    "Listening on …: only a LiveKit on this machine can deliver its webhooks. Set HOST (server.host) to listen elsewhere, 0.0.0.0 for every address.",
    "SIP deliveries signed with the secret of … carry X-Sayna-Signature only: a secret that begins with whsec_ gives Standard Webhooks signatures as well.",
  ],
};
/** Another program's words; the end of a start, which the README tells; the same as one of the others. */
const NOT_OURS = [
  "plugins/storage/postgres/heads.ts",
  "src/create-reloader.ts",
  "src/serve.ts",
  "src/throttled-log.ts",
];

describe("every warning and error of the source is in the tables", () => {
  test("those that stand where they are logged", () => {
    // It says what was left out, which is in the tables.
    const all = messages.map(({ message }) => message).filter((message) => !message.startsWith("Left out of the log"));
    expect(all.length).toBeGreaterThan(40);
    expect(all.filter((message) => !documented.includes(message))).toEqual([]);
  });

  test.each(Object.entries(CHOSEN_IN))("those that are chosen in %s", (file, others) => {
    const sentences = sentencesIn(file);
    expect(sentences.length).toBeGreaterThan(0);
    expect(sentences.filter((sentence) => !documented.includes(sentence) && !others.includes(sentence))).toEqual([]);
    expect(others.filter((sentence) => !sentences.includes(sentence))).toEqual([]);
  });

  test("and no other file chooses some", () => {
    const known = new Set([...Object.keys(CHOSEN_IN), ...NOT_OURS]);
    expect(elsewhere.filter((file) => !known.has(file))).toEqual([]);
  });
});

test("the tables have no message that the source has not, and none twice", () => {
  const written = new Set([
    ...messages.map(({ message }) => message),
    ...Object.keys(CHOSEN_IN).flatMap((file) => sentencesIn(file)),
  ]);
  const notes = ["signs nothing: X-Sayna-Signature"];
  const unknown = documented.filter(
    (message) => !written.has(message) && !notes.some((note) => message.includes(note)),
  );
  expect(unknown).toEqual([]);
  expect(new Set(documented).size).toBe(documented.length);
});
