import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { HookEntry, HookView } from "../../plugins/hooks-store/hook-schemas";
import { ServerProcess, temporaryDirectory } from "../support/server-process";
import { curlRequests, sendCurlRequest } from "./curl-requests";
import { codeBlock, quoted, section, tableRows } from "./readme";

const TOKENS = { OPS: "the-operators-token", TENANT_A: "the-tenants-token" };
const examples = curlRequests(codeBlock("api"), TOKENS);

let server: ServerProcess;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  directory = await temporaryDirectory();
  await writeFile(join(directory.path, "ops-token"), `${TOKENS.OPS}\n`);
  await writeFile(join(directory.path, "tenant-a-token"), `${TOKENS.TENANT_A}\n`);
  const roles = parse(codeBlock("roles").replaceAll("/etc/sayna-sip", directory.path)) as object;
  const config = { ...roles, sip: { room_prefix: "sip-", provision: false } };
  server = await ServerProcess.start({ dataDir: directory.path, config });
});

afterAll(async () => {
  await server.killHard();
  await directory.remove();
});

describe("the API's examples, one after the other, answer what the README says", () => {
  test("there are all routes among them, and each says its status", () => {
    expect(new Set(examples.map(({ method }) => method))).toEqual(new Set(["GET", "POST", "DELETE"]));
    expect(examples.length).toBe(7);
    expect(examples.filter(({ comment }) => !/: \d{3}\b/.test(comment))).toEqual([]);
  });

  test("in their order", async () => {
    const answers: { example: string; status: number; body: { hooks?: { host: string }[] } }[] = [];
    for (const example of examples)
      answers.push({ example: example.comment, ...(await sendCurlRequest(server.url, example)) });
    expect(answers.map(({ example, status }) => `${example} -> ${status}`)).toEqual(
      answers.map(({ example }) => `${example} -> ${/: (\d{3})/.exec(example)?.[1]}`),
    );
    const hosts = answers.map(({ body }) => body.hooks?.map(({ host }) => host).join(" "));
    const [a, b, sales] = ["tenant-a.example.com", "*.tenant-b.example.com", "sales.tenant-a.example.com"];
    expect(hosts).toEqual([`${a} ${b}`, `${a} ${b}`, a, `${a} ${sales}`, undefined, a, undefined]);
    const shown = JSON.parse(codeBlock("hooks")) as object;
    expect(answers.at(-2)?.body).toEqual(shown as { hooks: { host: string }[] });
  });
});

test("the table of a hook's members has those of the API's form and answer", () => {
  const rows = tableRows(section("The API")).map(([cell = "", meaning = ""]) => ({ member: quoted(cell)[0], meaning }));
  const inAnswers = rows.filter(({ meaning }) => meaning.startsWith("in answers")).map(({ member }) => member);
  const inForm = rows
    .map(({ member }) => member)
    .filter((member) => /^\w+$/.test(member ?? "") && !inAnswers.includes(member));
  expect(inForm).toEqual(Object.keys(HookEntry.properties));
  expect([...inForm, ...inAnswers]).toEqual(Object.keys(HookView.properties));
});

test("every route of the OpenAPI document is in the table of routes, and no other", async () => {
  const document = (await (await fetch(`${server.url}/openapi/json?api_key=${TOKENS.OPS}`)).json()) as {
    paths: Record<string, object>;
  };
  const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const listed = tableRows(section("The API"))
    .map(([route = ""]) => quoted(route)[0] ?? "")
    .filter((route) => route.includes(" /"));
  expect(listed.toSorted()).toEqual(routes.toSorted());
});

test("the OpenAPI document says of every route who may call it, as the table of routes does", async () => {
  const document = (await (await fetch(`${server.url}/openapi/json?api_key=${TOKENS.OPS}`)).json()) as {
    paths: Record<string, Record<string, { description?: string; security?: unknown[] }>>;
  };
  const said = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { description = "", security }]) => {
      const who = security?.length === 0 ? openTo(description) : callersOf(description);
      return `${method.toUpperCase()} ${path}: ${who}`;
    }),
  );
  const listed = tableRows(section("The API"))
    .filter(([route = ""]) => (quoted(route)[0] ?? "").includes(" /"))
    .map(([route = "", , who]) => `${quoted(route)[0]}: ${who}`);
  expect(said.toSorted()).toEqual(listed.toSorted());
});

const openTo = (description: string): string =>
  description.includes("Authenticated by LiveKit's token") ? "LiveKit's signature" : "anybody";

function callersOf(description: string): string {
  if (description.startsWith("Operators only.")) return "operator";
  return /\btenant\b/.test(description) ? "operator, tenant" : "not said";
}
