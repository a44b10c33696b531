import { describe, expect, test } from "bun:test";
import type { Hook } from "../../../src/domain/hook";
import { Secret } from "../../../src/domain/secret";
import { pattern } from "../../support/webhooks";
import { fixed, hook, hooksApi, hosts } from "./hooks-api";

const api = hooksApi();
const { get, post } = api;

describe("operators", () => {
  test("a listed secret reference is kept as a reference, and nothing else of it", async () => {
    const answer = await post([{ ...hook("one.example.com"), secret: "env:ALLOWED" }]);
    expect(answer.body.hooks?.at(-1)).toMatchObject({ secret: "env:ALLOWED" });
  });

  test("credentials and a secret that is being replaced are kept and shown as references", async () => {
    const secrets = {
      secret: "env:OF_A",
      previous_secret: { secret: "env:ALLOWED", until: "2030-01-31T13:00:00+01:00" },
      credentials: {
        basic: { username: "sayna", password: "env:OF_A" },
        header: { name: "X-Api-Key", value: "env:ALLOWED" },
        client_certificate: { certificate: "file:/run/a.pem", key: "file:/run/a.pem" },
      },
    };
    const answer = await post([{ ...hook("one.example.com"), ...secrets }]);
    const shown = { ...secrets, previous_secret: { secret: "env:ALLOWED", until: "2030-01-31T12:00:00.000Z" } };
    expect(answer.body.hooks?.at(-1)).toMatchObject(shown);
    const again = await api.loadAgain([fixed]);
    expect(again.table.byPattern(pattern("one.example.com"))).toMatchObject({
      secret: { kind: "env", name: "OF_A" },
      previousSecret: { secret: { kind: "env", name: "ALLOWED" }, until: Date.parse("2030-01-31T12:00:00Z") },
      credentials: {
        authorization: { kind: "basic", username: "sayna", password: { kind: "env", name: "OF_A" } },
        header: { name: "X-Api-Key", value: { kind: "env", name: "ALLOWED" } },
        clientCertificate: { certificate: { kind: "file", path: "/run/a.pem" } },
      },
    });
  });

  test("a replaced hook has the credentials of its new entry only", async () => {
    await post([{ ...hook("one.example.com"), credentials: { bearer: "env:ALLOWED" } }]);
    const answer = await post([hook("one.example.com")]);
    expect(answer.body.hooks?.at(-1)).not.toHaveProperty("credentials");
  });

  test("literals of the configuration are shown as that they are literals", async () => {
    const literal = { kind: "literal", value: new Secret("hunter2") } as const;
    const config: Hook = {
      ...fixed,
      secret: literal,
      previousSecret: { secret: literal, until: 0 },
      credentials: { authorization: { kind: "bearer", token: literal } },
    };
    await api.load([config]);
    const { body } = await get();
    expect(body.hooks?.[0]).toMatchObject({
      previous_secret: { secret: "literal" },
      credentials: { bearer: "literal" },
    });
    expect(JSON.stringify(body)).not.toContain("hunter2");
  });

  test.each<[string, object, string]>([
    ["bearer and basic", { bearer: "env:OF_A", basic: { username: "u", password: "env:OF_A" } }, "invalid_credentials"],
    ["a header of ours", { header: { name: "Webhook-Id", value: "env:OF_A" } }, "invalid_credentials"],
    ["a colon in a user name", { basic: { username: "a:b", password: "env:OF_A" } }, "invalid_credentials"],
    ["a token as it is", { bearer: "hunter2" }, "secret_not_allowed"],
    ["a reference that nobody listed", { bearer: "env:HOME" }, "secret_not_allowed"],
    [
      "a key that nobody listed",
      { client_certificate: { certificate: "env:OF_A", key: "file:/k" } },
      "secret_not_allowed",
    ],
    ["a certificate without key", { client_certificate: { certificate: "env:OF_A" } }, "invalid_request"],
    ["something else", { digest: "env:OF_A" }, "invalid_request"],
  ])("400 for credentials with %s, which is not repeated", async (_, credentials, code) => {
    const answer = await post([{ ...hook("one.example.com"), credentials }]);
    expect([answer.status, answer.body.error?.code]).toEqual([400, code]);
    expect(JSON.stringify(answer.body)).not.toContain("hunter2");
    expect(hosts(await get())).toEqual(["fixed.a.example.com"]);
  });

  test.each(["tomorrow", "2030-01-31", "2030-02-31T00:00:00Z"])("400 for a secret that ends %s", async (until) => {
    const answer = await post([{ ...hook("one.example.com"), previous_secret: { secret: "env:OF_A", until } }]);
    expect([answer.status, answer.body.error?.code]).toEqual([400, "invalid_request"]);
  });

  test("an operator may name a tenant's reference for this tenant's hooks only", async () => {
    const bearer = { credentials: { bearer: "env:OF_B" } };
    expect((await post([{ ...hook("one.example.com", "tenant-b"), ...bearer }])).status).toBe(200);
    const answer = await post([{ ...hook("two.example.com", "tenant-a"), ...bearer }]);
    expect(answer.body.error?.code).toBe("secret_not_allowed");
  });
});
