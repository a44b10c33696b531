import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { isIP } from "node:net";
import { parseTarget } from "../../../../plugins/webhook-forwarder/sender/target";

test.each([
  ["https://hook.test", { host: "hook.test", port: 443, path: "/", servername: "hook.test", isAddress: false }],
  ["https://hook.test:/a", { host: "hook.test", port: 443, path: "/a" }],
  ["https://hook.test:8443/a?b#c", { host: "hook.test", port: 8443, path: "/a?b" }],
  ["HTTPS://HOOK.test./", { host: "hook.test.", servername: "hook.test" }],
  ["https://bücher.test/", { host: "xn--bcher-kva.test", servername: "xn--bcher-kva.test" }],
  ["https://user:pass@hook.test/", { host: "hook.test", path: "/" }],
  ["https://127.0.0.1/", { host: "127.0.0.1", servername: "", isAddress: true }],
  ["https://0x7f.1/", { host: "127.0.0.1", isAddress: true }],
  ["https://127.0.0.1./", { host: "127.0.0.1", isAddress: true }],
  ["https://[2001:DB8::1]:9/", { host: "2001:db8::1", port: 9, servername: "", isAddress: true }],
  ["https://[::ffff:127.0.0.1]/", { host: "::ffff:7f00:1", isAddress: true }],
])("%s", (url, target) => {
  expect(parseTarget(url)).toMatchObject(target);
});

test.each(["http://hook.test/", "wss://hook.test/", "hook.test", "https://", "https://256.0.0.1/", "https://a b/", ""])(
  "%p is none",
  (url) => {
    expect(parseTarget(url)).toBeUndefined();
  },
);

test("no text throws, and a host is an address exactly when node:https will not look it up", () => {
  const text = fc.oneof(
    fc.webUrl({ validSchemes: ["https"] }),
    fc.ipV4().map((ip) => `https://${ip}`),
    fc.string(),
  );
  fc.assert(
    fc.property(text, (url) => {
      const target = parseTarget(url);
      if (target !== undefined) expect(target.isAddress).toBe(isIP(target.host) !== 0);
    }),
  );
});
