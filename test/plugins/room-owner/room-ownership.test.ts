import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { readOwnership, type Ownership } from "../../../plugins/room-owner/room-ownership";

const write = (metadata: string, merged = true): Ownership => ({ kind: "write", metadata, merged });

describe("a room's metadata, made to own it", () => {
  test.each<[string, string, Ownership]>([
    ["empty becomes the auth_id alone", "", write('{"auth_id":"t-1"}', false)],
    ["an empty object gets the member", "{}", write('{"auth_id":"t-1"}')],
    ["an object gets the member", '{"a":1}', write('{"a":1,"auth_id":"t-1"}')],
    [
      "the rest keeps every byte: long numbers, doubled names, white space",
      ' {\n "n": 12345678901234567890, "x": 1, "x": 2,\n "__proto__": {"a": 1.0}\n}\n',
      write(' {\n "n": 12345678901234567890, "x": 1, "x": 2,\n "__proto__": {"a": 1.0}\n,"auth_id":"t-1"}\n'),
    ],
    ["an auth_id further inside is none", '{"a":{"auth_id":"t-2"}}', write('{"a":{"auth_id":"t-2"},"auth_id":"t-1"}')],
    ["a brace at the end of a text is none", '{"a":"}"}', write('{"a":"}","auth_id":"t-1"}')],
    ["the same auth_id is left alone", '{"x":1,"auth_id":"t-1"}', { kind: "already owned" }],
    ["another auth_id is left alone", '{"auth_id":"t-2"}', { kind: "other owner", owner: "t-2" }],
    ["an empty auth_id is another", '{"auth_id":""}', { kind: "other owner", owner: "" }],
    ["an auth_id of null is another", '{"auth_id":null}', { kind: "other owner", owner: null }],
    ["of two the last counts, as everywhere", '{"auth_id":"t-1","auth_id":"x"}', { kind: "other owner", owner: "x" }],
    ["text is left alone", "hello", { kind: "no JSON object" }],
    ["white space is left alone", " ", { kind: "no JSON object" }],
    ["an array is left alone", '["a"]', { kind: "no JSON object" }],
    ["null is left alone", "null", { kind: "no JSON object" }],
    ["a JSON text in a JSON text is left alone", '"{}"', { kind: "no JSON object" }],
    ["a broken object is left alone", '{"a":1', { kind: "no JSON object" }],
  ])("%s", (_, metadata, ownership) => {
    expect(readOwnership(metadata, "t-1")).toEqual(ownership);
  });

  test("any object keeps its members, and any auth_id is found again", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.constantFrom(0, 2, "\t"),
        fc.string({ unit: "binary" }),
        (members, indent, authId) => {
          fc.pre(!Object.hasOwn(members, "auth_id"));
          const before = JSON.stringify(members, null, indent);
          const ownership = readOwnership(before, authId);
          const written = ownership.kind === "write" ? ownership.metadata : "";
          expect(JSON.parse(written)).toEqual({ ...JSON.parse(before), auth_id: authId });
          expect(readOwnership(written, authId)).toEqual({ kind: "already owned" });
        },
      ),
    );
  });
});
