import { afterEach, expect, test } from "bun:test";
import { checkService, type Service, type StorageHolder } from "../../src/doctor/check-service";

let answering: Bun.Server<undefined> | undefined;

afterEach(async () => {
  await answering?.stop(true);
});

/** Something at an address that answers `/health/ready` like this. */
function serviceThatSays(status: number, body: unknown, refusal?: string): Service {
  answering = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => Response.json(body, { status }) });
  const refused = async () => {
    if (refusal !== undefined) throw new Error(refusal);
    return undefined as never;
  };
  return { url: `http://127.0.0.1:${answering.port}`, get: refused, send: refused };
}

const NOT_READY = { status: "not_ready", reasons: ["the storage cannot be written", "the service is stopping"] };
const here: StorageHolder = { kind: "process", name: "process 7" };

test.each<[string, number, unknown, string | undefined, StorageHolder, readonly string[]]>([
  ["all is well", 200, { status: "ready" }, undefined, here, ["ok service_right"]],
  ["it cannot take calls", 503, NOT_READY, undefined, here, ["problem service_not_ready"]],
  [
    "it runs elsewhere",
    200,
    { status: "ready" },
    undefined,
    { kind: "nobody" },
    ["ok service_right", "warning service_elsewhere"],
  ],
  [
    "it lets nobody look",
    200,
    { status: "ready" },
    "Not allowed",
    here,
    ["ok service_right", "warning service_refuses_us"],
  ],
  ["somebody else answers", 200, { hello: "world" }, undefined, here, ["problem service_not_running"]],
  ["a proxy answers for it", 503, "no upstream", undefined, here, ["problem service_not_running"]],
])("it is told when %s", async (_, status, body, refusal, holder, expected) => {
  const { findings, opened } = await checkService(serviceThatSays(status, body, refusal), holder);
  expect(findings.map(({ severity, code }) => `${severity} ${code}`)).toEqual([...expected]);
  expect(opened).toBe(refusal === undefined && expected[0] !== "problem service_not_running");
});

test("why it cannot take calls is said in its own words, and who has the data when nothing answers", async () => {
  const { findings } = await checkService(serviceThatSays(503, NOT_READY), here);
  expect(findings[0]?.what).toContain("the storage cannot be written; the service is stopping");
  const gone = await checkService({ ...serviceThatSays(200, {}), url: "http://127.0.0.1:1" }, here);
  expect(gone.findings[0]?.what).toContain("in use by process 7");
});
