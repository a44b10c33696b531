import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import packageJson from "../../package.json" with { type: "json" };
import { readImage, wordsOf } from "../readme/containerfile";
import { CONTAINER_ENVIRONMENT } from "../support/container-environment";
import { buildContainer, innermost } from "./container-engine";

test("where buildah or podman is there, it builds the image, and a container of it serves, is live and stops", async () => {
  const built = buildContainer();
  if ("reason" in built) {
    console.log(`The image is not built here: ${built.reason}`);
    const there = Bun.which("buildah") !== null || Bun.which("podman") !== null;
    expect(built.reason === "neither buildah nor podman is there").toBe(!there);
    return;
  }
  try {
    const { config } = built;
    const image = readImage();
    expect(config).toMatchObject({
      User: "10001:10001",
      Volumes: { "/data": {} },
      Entrypoint: wordsOf(image, "ENTRYPOINT"),
      Cmd: wordsOf(image, "CMD"),
      StopSignal: "SIGTERM",
      Labels: { "org.opencontainers.image.version": packageJson.version },
    });
    expect(config.Env).toEqual(expect.arrayContaining(["HOST=0.0.0.0", "AUTH_REQUIRED=true", "DATA_DIR=/data"]));
    const command = built.run([...config.Entrypoint, ...config.Cmd], CONTAINER_ENVIRONMENT);
    const server = Bun.spawn([...command], { stdout: "pipe", stderr: "inherit" });
    const lines = createInterface({ input: Readable.fromWeb(server.stdout) });
    let url = "";
    let statuses: number[] = [];
    try {
      for await (const line of lines) {
        [, url = url] = /"url":"([^"]*)"/.exec(line) ?? [];
        if (!line.includes('"msg":"Listening"')) continue;
        const answers = ["/health/ready", "/openapi/swagger-ui-bundle.js", "/sip/hooks"].map(
          async (path) => (await fetch(new URL(path, url))).status,
        );
        statuses = await Promise.all(answers);
        const pid = innermost(server.pid);
        expect(readFileSync(`/proc/${pid}/status`, "utf8")).toContain("Uid:\t10001\t10001");
        process.kill(pid, "SIGTERM");
      }
      expect(statuses).toEqual([200, 200, 401]);
      expect(await server.exited).toBe(0);
    } finally {
      server.kill("SIGKILL");
    }
  } finally {
    built.remove();
  }
}, 300_000);
