import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { createHmac, createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { Webhook } from "standardwebhooks";
import {
  isBrokenSecret,
  isStandardWebhooksSecret,
  parseSigningKey,
  saynaSignature,
  standardWebhooksSignature,
} from "../../src/domain/signatures";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const secretOf = (key: Uint8Array): string => `whsec_${Buffer.from(key).toString("base64")}`;

describe("the Standard Webhooks signature", () => {
  test.each([
    [
      "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
      "msg_p5jXN8AQM9LWM0D4loKWxJek",
      1614265330,
      '{"test": 2432232314}',
      "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ],
    [
      "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
      "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
      1649367553,
      '{"email":"test@example.com","username":"test_user"}',
      "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
    ],
  ])("of the published vector %#", (secret, id, timestamp, body, signature) => {
    expect(standardWebhooksSignature(secret, id, timestamp, bytes(body))).toBe(signature);
  });

  test("is what the standardwebhooks package makes and accepts", () => {
    const keys = fc.uint8Array({ minLength: 24, maxLength: 64 });
    fc.assert(
      fc.property(keys, fc.stringMatching(/^EV_\w{1,20}$/), fc.json(), (key, id, json) => {
        const now = Math.floor(Date.now() / 1000);
        const signature = standardWebhooksSignature(secretOf(key), id, now, bytes(json));
        const receiver = new Webhook(secretOf(key));
        expect(signature).toBe(receiver.sign(id, new Date(now * 1000), json));
        const headers = { "webhook-id": id, "webhook-timestamp": String(now), "webhook-signature": signature };
        expect(receiver.verify(json, headers)).toEqual(JSON.parse(json));
        expect(() => receiver.verify(`${json} `, headers)).toThrow("No matching signature found");
      }),
    );
  });

  test("covers the body's bytes, whatever they are", () => {
    const secret = secretOf(new Uint8Array(24));
    const broken = standardWebhooksSignature(secret, "EV_1", 1, Uint8Array.of(0xff));
    expect(broken).not.toBe(standardWebhooksSignature(secret, "EV_1", 1, bytes("\ufffd")));
    const expected = createHmac("sha256", new Uint8Array(24))
      .update(Buffer.from("EV_1.1.\xff", "latin1"))
      .digest("base64");
    expect(broken).toBe(`v1,${expected}`);
  });

  test("is refused for a secret that is none, which the error does not show", () => {
    expect(() => standardWebhooksSignature("whsec_hunter2", "EV_1", 1, bytes("{}"))).toThrow(
      new TypeError("The secret is not a Standard Webhooks secret (whsec_…)"),
    );
  });
});

describe("a Standard Webhooks secret", () => {
  test.each([24, 25, 26, 32, 63, 64])("may have %d bytes", (length) => {
    expect(isStandardWebhooksSecret(secretOf(new Uint8Array(length).fill(0xfb)))).toBe(true);
  });

  const base64 = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  test.each([
    ["no prefix", base64],
    ["another prefix", `whsk_${base64}`],
    ["a prefix in capitals", `WHSEC_${base64}`],
    ["nothing after the prefix", "whsec_"],
    ["23 bytes", secretOf(new Uint8Array(23))],
    ["65 bytes", secretOf(new Uint8Array(65))],
    ["base64url", `whsec_-_${base64.slice(2)}`],
    ["no padding", secretOf(new Uint8Array(25)).replaceAll("=", "")],
    ["too much padding", `whsec_${base64}=`],
    ["bits that no byte has", `whsec_${"A".repeat(33)}B==`],
    ["a space", `whsec_${base64} `],
    ["a line break", `whsec_${base64.slice(0, 16)}\n${base64.slice(16)}`],
    ["text", "whsec_a secret that somebody typed in"],
  ])("is not one with %s", (_, secret) => {
    expect(isStandardWebhooksSecret(secret)).toBe(false);
  });
});

describe("Sayna's signature", () => {
  test("signs v1:timestamp:id:body in hexadecimal", () => {
    // printf 'v1:1614265330:EV_1:{"test": 2432232314}' | openssl dgst -sha256 -hmac 'a secret'
    expect(saynaSignature("a secret", "EV_1", 1614265330, bytes('{"test": 2432232314}'))).toBe(
      "v1=6dd055eacce63eb36c4863f64742ab7f156c237a4123b416d98ec445d1ef4da4",
    );
  });

  test("uses the whole secret as its key, the prefix included, as UTF-8", () => {
    for (const secret of ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "geheim-ü"]) {
      const expected = createHmac("sha256", bytes(secret)).update("v1:1:EV_1:{}").digest("hex");
      expect(saynaSignature(secret, "EV_1", 1, bytes("{}"))).toBe(`v1=${expected}`);
    }
  });

  test("covers the body's bytes, whatever they are", () => {
    const broken = saynaSignature("s", "EV_1", 1, Uint8Array.of(0xff, 0x00));
    const expected = createHmac("sha256", "s").update(Buffer.from("v1:1:EV_1:\xff\x00", "latin1")).digest("hex");
    expect(broken).toBe(`v1=${expected}`);
  });
});

const KEY = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";

describe("an ed25519 key", () => {
  test("signs the published vector, and has its public key", () => {
    const key = parseSigningKey(KEY);
    expect(key?.publicKey).toBe("whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=");
    expect(key?.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, bytes('{"test": 2432232314}'))).toBe(
      "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==",
    );
  });

  test("may be written as the seed alone", () => {
    const seed = Buffer.from(KEY.slice(5), "base64").subarray(0, 32).toString("base64");
    expect(parseSigningKey(`whsk_${seed}`)?.publicKey).toBe(parseSigningKey(KEY)?.publicKey);
  });

  test("makes what node:crypto verifies with the public key, whatever the bytes are, and nothing else", () => {
    const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(seeds, fc.stringMatching(/^EV_\w{1,20}$/), fc.uint8Array({ maxLength: 300 }), (seed, id, body) => {
        const key = parseSigningKey(`whsk_${Buffer.from(seed).toString("base64")}`);
        if (key === undefined) throw new Error("not a key");
        const x = Buffer.from(key.publicKey.slice("whpk_".length), "base64").toString("base64url");
        const publicKey = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
        const signature = Buffer.from(key.sign(id, 1614265330, body).slice("v1a,".length), "base64");
        const signed = Buffer.concat([Buffer.from(`${id}.1614265330.`), body]);
        expect(verify(null, signed, publicKey, signature)).toBe(true);
        expect(verify(null, Buffer.concat([signed, Buffer.from(" ")]), publicKey, signature)).toBe(false);
      }),
      { numRuns: 30 },
    );
  });

  test("of another program is read", () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const { d = "", x = "" } = privateKey.export({ format: "jwk" });
    const both = Buffer.concat([Buffer.from(d, "base64url"), Buffer.from(x, "base64url")]).toString("base64");
    expect(parseSigningKey(`whsk_${both}`)?.publicKey).toBe(`whpk_${Buffer.from(x, "base64url").toString("base64")}`);
  });

  const other = Buffer.concat([Buffer.from(KEY.slice(5), "base64").subarray(0, 32), Buffer.alloc(32, 7)]);
  test.each([
    ["no prefix", KEY.slice(5)],
    ["a public key's prefix", KEY.replace("whsk_", "whpk_")],
    ["a secret's prefix", KEY.replace("whsk_", "whsec_")],
    ["a public key that is another seed's", `whsk_${other.toString("base64")}`],
    ["31 bytes", `whsk_${Buffer.alloc(31).toString("base64")}`],
    ["33 bytes", `whsk_${Buffer.alloc(33).toString("base64")}`],
    ["65 bytes", `whsk_${Buffer.alloc(65).toString("base64")}`],
    ["no padding", KEY.replaceAll("=", "")],
    ["a line break", `${KEY}\n`],
    ["nothing", "whsk_"],
  ])("is none with %s", (_, text) => {
    expect(parseSigningKey(text)).toBeUndefined();
  });

  test("does not show its private part when it is printed", () => {
    const shown = Bun.inspect(parseSigningKey(KEY), { depth: 10 }) + JSON.stringify(parseSigningKey(KEY));
    expect(shown).not.toContain("6Xb/dCcHpPea");
  });
});

test.each([
  ["whsec_", true],
  ["whsec_hunter2", true],
  ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false],
  ["anything", false],
])("%s is a broken secret: %p", (secret, broken) => {
  expect(isBrokenSecret(secret)).toBe(broken);
});
