import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CONTAINER_ENVIRONMENT } from "../support/container-environment";
import { temporaryDirectory } from "../support/server-process";
import { buildImage, type BuiltImage } from "./built-image";
import { environmentOf, readImage, readStages, restsOf, wordsOf } from "./containerfile";
import { quoted, README, ROOT, section, tableRows } from "./readme";

const stages = readStages();
const image = readImage();
const packageJson = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  engines: { bun: string };
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};

describe("the Containerfile says", () => {
  test.each([
    [
      "the pinned Bun in every stage",
      () => stages.every(({ base }) => base.startsWith(`docker.io/oven/bun:${packageJson.engines.bun}-`)),
    ],
    [
      "a user that is not root, by number, so that Kubernetes can check it",
      () => restsOf(image, "USER").at(-1) === "10001:10001",
    ],
    [
      "that nothing is built as that user or after it",
      () =>
        image.instructions.findIndex(({ name }) => name === "USER") >
        image.instructions.findLastIndex(({ name }) => name === "COPY"),
    ],
    [
      "a volume for the data, which belongs to that user",
      () =>
        restsOf(image, "VOLUME").join() === "/data" &&
        restsOf(image, "COPY").some((rest) => rest.includes("--chown=10001:10001") && rest.endsWith(" /data")),
    ],
    [
      "production dependencies only, as the lockfile says",
      () =>
        stages
          .flatMap((stage) => restsOf(stage, "RUN"))
          .some((rest) => /bun install --production --frozen-lockfile/.test(rest)),
    ],
    ["the port", () => restsOf(image, "EXPOSE").join() === environmentOf(image)["PORT"]],
    ["SIGTERM as the signal that stops it", () => restsOf(image, "STOPSIGNAL").join() === "SIGTERM"],
    ["a health check on /health/live", () => (restsOf(image, "HEALTHCHECK")[0] ?? "").includes("/health/live")],
    [
      "how it is started",
      () =>
        restsOf(image, "ENTRYPOINT").join() === '["bun", "src/main.ts"]' &&
        restsOf(image, "CMD").join() === '["serve"]',
    ],
    [
      "the licence, if there is one",
      () => !existsSync(join(ROOT, "LICENSE")) || restsOf(image, "COPY").some((rest) => rest.includes("LICENSE")),
    ],
  ])("%s", (_, isSo) => {
    expect(isSo()).toBe(true);
  });

  test("the variables that the README lists, and no setting beside them", () => {
    const listed = tableRows(section("In a container")).flatMap(([names = ""]) => quoted(names));
    const { NODE_ENV, ...set } = environmentOf(image);
    expect(NODE_ENV).toBe("production");
    expect(
      Object.entries(set)
        .map(([name, value]) => `${name}=${value}`)
        .toSorted(),
    ).toEqual(listed.toSorted());
  });

  test("to copy only what the ignore file lets into the build", () => {
    const ignore = readFileSync(join(ROOT, ".containerignore"), "utf8")
      .split("\n")
      .filter((line) => /^[^#]/.test(line));
    const copied = stages.flatMap((stage) => restsOf(stage, "COPY")).filter((rest) => !rest.startsWith("--from="));
    const sources = new Set(copied.flatMap((rest) => rest.split(" ").slice(0, -1)));
    expect(ignore[0]).toBe("*");
    expect(new Set(ignore.slice(1).map((line) => line.replace(/^!/, "")))).toEqual(sources);
  });

  test("time enough to stop, in the README's command", () => {
    const seconds = Number(/--stop-timeout (\d+)/.exec(README)?.[1]);
    expect(seconds).toBeGreaterThan(8);
  });
});

describe("what it makes", () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let built: BuiltImage;

  beforeAll(async () => {
    directory = await temporaryDirectory();
    built = await buildImage(directory.path);
  }, 240_000);

  afterAll(async () => {
    await directory.remove();
  });

  const start = (env: Record<string, string>) => {
    const command = [...wordsOf(image, "ENTRYPOINT"), ...wordsOf(image, "CMD")];
    return Bun.spawn([join(directory.path, "bin", "bun"), ...command.slice(1)], {
      cwd: built.workingDirectory,
      env: { PATH: built.path, ...environmentOf(image), DATA_DIR: join(built.root, "data"), ...env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
  };

  const check = async (port: string) => {
    const [, json = "[]"] = (restsOf(image, "HEALTHCHECK")[0] ?? "").split("CMD ");
    const [, ...words] = JSON.parse(json) as string[];
    // A proxy for outgoing requests is nothing that the check may use.
    const env = {
      PATH: built.path,
      ...environmentOf(image),
      PORT: port,
      HTTP_PROXY: "http://127.0.0.1:9",
      http_proxy: "http://127.0.0.1:9",
    };
    return Bun.spawn([join(directory.path, "bin", "bun"), ...words], {
      cwd: built.workingDirectory,
      env,
      stderr: "ignore",
    }).exited;
  };

  test("has the program and its packages, and neither tests, nor development's packages, nor a configuration", () => {
    expect(readdirSync(built.workingDirectory).toSorted()).toEqual([
      "node_modules",
      "package.json",
      "plugins",
      "src",
      "tsconfig.json",
    ]);
    const installed = (name: string) => existsSync(join(built.workingDirectory, "node_modules", name));
    expect(Object.keys(packageJson.dependencies).filter((name) => !installed(name))).toEqual([]);
    expect(Object.keys(packageJson.devDependencies).filter(installed)).toEqual([]);
    expect(readdirSync(join(built.workingDirectory, "node_modules/swagger-ui-dist")).toSorted()).toEqual([
      "LICENSE",
      "NOTICE",
      "package.json",
      "swagger-ui-bundle.js",
      "swagger-ui.css",
    ]);
    expect(readdirSync(join(built.root, "data"))).toEqual([]);
  });

  test("is small: less than 50 MB beside the base", async () => {
    let bytes = 0;
    for await (const file of new Bun.Glob("**").scan({ cwd: built.root, dot: true }))
      bytes += Bun.file(join(built.root, file)).size;
    expect(bytes).toBeGreaterThan(10_000_000);
    expect(bytes).toBeLessThan(50_000_000);
  });

  test("does not start without a secret for the API", async () => {
    const server = start({});
    expect(await server.exited).toBe(1);
    expect(await new Response(server.stderr).text()).toContain(
      "Authentication is required (AUTH_REQUIRED), but there is no secret",
    );
  });

  test("starts with the environment alone, is live, serves its pages, keeps its data in the volume, and stops", async () => {
    const server = start(CONTAINER_ENVIRONMENT);
    try {
      let output = "";
      const decoder = new TextDecoder();
      for await (const chunk of server.stdout) {
        output += decoder.decode(chunk, { stream: true });
        if (output.includes('"msg":"Listening"')) break;
      }
      const url = /"url":"([^"]*)"/.exec(output)?.[1] ?? "";
      const statusOf = async (path: string) => (await fetch(new URL(path, url))).status;
      const paths = ["/health/live", "/health/ready", "/openapi/swagger-ui.css", "/openapi/swagger-ui-bundle.js"];
      expect(await Promise.all(paths.map(statusOf))).toEqual(paths.map(() => 200));
      for (const path of ["/sip/hooks", "/metrics", "/openapi"]) expect(await statusOf(path)).toBe(401);
      const { port } = new URL(url);
      expect(await check(port)).toBe(0);
      expect(readdirSync(join(built.root, "data"))).toContain("sayna-sip.db");
      server.kill("SIGTERM");
      expect(await server.exited).toBe(0);
      expect(await check(port)).toBe(1);
    } finally {
      server.kill("SIGKILL");
    }
  });
});
