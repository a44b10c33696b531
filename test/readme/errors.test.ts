import { describe, expect, test } from "bun:test";
import { messagesOf, SIP } from "../plugins/config-loader/load-text";
import { errorTable } from "./error-table";
import { quoted, section, tableRows } from "./readme";
import { isWritten, sourceOf } from "./written-messages";

test("the table of the API's errors has every code with its status, message and hint, and no other", () => {
  expect(tableRows(section("From the API"))).toEqual(errorTable());
});

describe("each message of a wrong configuration is what such a configuration gives", () => {
  const hooks = (...entries: string[]) => `${SIP}  hooks: [${entries.map((entry) => `{${entry}}`).join(", ")}]\n`;
  const [before, after] = section("At the start").split("After that:");
  const messages = tableRows(before ?? "").map(([message = ""]) => message.replaceAll("`", ""));
  const provoking = new Map([
    ["SIP room_prefix is required when SIP configuration is present", "sip: {allowed_addresses: [203.0.113.7]}"],
    ["SIP room_prefix cannot be empty", SIP.replace('"sip-"', '""')],
    ["SIP room_prefix must contain only alphanumeric characters, '-', or '_'", SIP.replace('"sip-"', '"my calls"')],
    ["SIP allowed_addresses cannot be empty", "sip: {room_prefix: sip-}"],
    ["SIP allowed_address '…' does not look valid", SIP.replace("203.0.113.0/24", "203.0.113.0/99")],
    ["SIP hook URL must be HTTPS", hooks("host: a.example.com, url: http://a.example/")],
    [
      "Duplicate SIP hook host",
      hooks("host: a.example.com, url: https://a.example/", "host: A.example.com, url: https://b.example/"),
    ],
    ["Authentication is required (AUTH_REQUIRED), but there is no secret", "auth: {required: true}"],
  ]);

  test("and all of them are in the table", () => {
    expect(messages).toEqual([...provoking.keys()]);
    expect(after).toBeDefined();
  });

  test.each([...provoking])("%s", (message, yaml) => {
    const [found = "", ...others] = messagesOf(yaml);
    expect(others).toEqual([]);
    expect(found).toStartWith(message.split("…")[0] ?? "");
    expect(found).toContain(message.split("…").pop() ?? "");
  });
});

describe("what it quotes of the log is what the service writes", () => {
  const [, afterStart = ""] = section("At the start").split("After that:");
  const list = section("No event arrives");
  const messages = [
    ...tableRows(afterStart).flatMap(([message = ""]) => quoted(message)),
    ...tableRows(section("In the log")).flatMap(([message = ""]) => quoted(message)),
    ...quoted(section("Upkeep")).filter((text) => /^the /i.test(text)),
    ...[...list.matchAll(/log (?:says|must say)\s+`([^`]+)`/g)].map(([, message = ""]) => message),
  ];

  test.each([...new Set(messages)])("%s", (message) => {
    expect({ message, isWritten: isWritten(message) }).toEqual({ message, isWritten: true });
  });

  test("the failures of an attempt too", () => {
    const known = `${sourceOf("plugins/webhook-forwarder/**/*.ts")}${sourceOf("test/plugins/webhook-forwarder/sender/*.ts")}`;
    const codes = tableRows(section("Not delivered")).flatMap(([cell = ""]) => quoted(cell));
    expect(codes.length).toBeGreaterThan(10);
    expect(codes.filter((code) => !known.includes(`"${code}"`))).toEqual([]);
  });
});
