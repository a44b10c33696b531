import { describe, expect, test } from "bun:test";
import { Value } from "@sinclair/typebox/value";
import { Elysia, t } from "elysia";
import { AppError, ERRORS, type ErrorCode } from "../../../src/domain/errors";
import { errorResponses, errorSchema } from "../../../plugins/http-errors";

const CODES = Object.keys(ERRORS).filter((code): code is ErrorCode => code in ERRORS);

test.each(CODES)("the answer of %s has the form of its schema, and is its example", (code) => {
  const body = new AppError(code, { fields: { more: 1 } }).toBody();
  const schema = errorSchema(code);
  expect(Value.Check(schema, { error: { ...body.error, code } })).toBe(true);
  expect(schema.examples).toEqual([new AppError(code).toBody()]);
  expect(schema.description).toContain(ERRORS[code].message);
});

test("codes of one status share a schema that names each of them, with an example each", () => {
  const responses = errorResponses(["invalid_host", "unauthorized", "invalid_url"]);
  expect(Object.keys(responses)).toEqual(["400", "401"]);
  expect(responses[400].properties.error.properties.code).toMatchObject({ enum: ["invalid_host", "invalid_url"] });
  expect(responses[400].examples).toHaveLength(2);
});

describe("in a route's response", () => {
  const app = new Elysia().get(
    "/",
    ({ query, status }) => {
      if (query.fail === undefined) return { ok: true };
      return status(403, new AppError("forbidden").toBody());
    },
    {
      query: t.Object({ fail: t.Optional(t.String()) }),
      response: { 200: t.Object({ ok: t.Boolean() }), ...errorResponses(["forbidden"]) },
    },
  );

  test.each([
    ["/", 200],
    ["/?fail=1", 403],
  ])("%s: %d", async (path, status) => {
    expect((await app.handle(new Request(`http://localhost${path}`))).status).toBe(status);
  });
});
