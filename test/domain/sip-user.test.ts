import { expect, test } from "bun:test";
import { parseSipAddress } from "../../src/domain/sip-address";

test.each([
  ["<sip:+15557654321@a.example.com>;tag=x", "+15557654321"],
  ["<sip:bob:secret@a.example.com>", "bob"],
  ["<sip:u%40x@a.example.com>", "u%40x"],
  ["sip:7042;phone-context=b@a.example.com", undefined],
  ['"Sales <sip:x@y>" <sip:sales@a.example.com:5060>', "sales"],
  ["<sip:a.example.com>", undefined],
  ["a.example.com", undefined],
])("the user of %s is %p", (value, user) => {
  expect(parseSipAddress(value)?.user).toBe(user);
});
