import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { runCommandLine } from "../support/run-command";
import { doctorWorld } from "./doctor-world";

const world = doctorWorld();
const { expectFound, writeConfiguration } = world;

describe("when all is well", () => {
  test("it finds nothing, says what it looked at, and ends with 0", async () => {
    const findings = await expectFound([]);
    expect([...new Set(findings.map(({ area }) => area))]).toEqual([
      "configuration",
      "storage",
      "service",
      "livekit",
      "clock",
      "trunk and rule",
      "hooks",
    ]);
    expect(findings.every(({ severity }) => severity === "ok")).toBe(true);
  });

  test("with server.management the service is asked there, and its token is sent nowhere else", async () => {
    const asked: (string | null)[][] = [[], []];
    const ports = asked.map((tokens) =>
      Bun.serve({
        hostname: "127.0.0.1",
        port: 0,
        fetch(request) {
          tokens.push(request.headers.get("authorization"));
          const { pathname } = new URL(request.url);
          if (pathname === "/health/ready") return Response.json({ status: "ready" });
          return Response.json(pathname === "/sip/hooks" ? { hooks: [] } : { calls: [] });
        },
      }),
    );
    const [port = 0, management = 0] = ports.map((stub) => stub.port ?? 0);
    const secret = "secret-of-the-operator-secret-of-the-operator";
    const path = await writeConfiguration(
      {},
      {
        server: { port, management: { port: management } },
        auth: { required: true, api_secrets: [{ id: "ops", secret }] },
      },
    );
    const { stdout } = await runCommandLine(["doctor", "--config", path]);
    for (const stub of ports) await stub.stop(true);
    expect(stdout).toContain(`The service at http://127.0.0.1:${management} runs and can take calls.`);
    expect(asked[0]).toEqual([]);
    expect(asked[1]).toContain(`Bearer ${secret}`);
  });

  test("--live makes a room, sees LiveKit's webhook come back, and deletes the room", async () => {
    const findings = await expectFound([], ["--live"]);
    expect(findings.at(-1)?.what).toMatch(
      /^LiveKit's webhooks come here: room_started did \d+ ms after the room was made\.$/,
    );
    expect(world.livekit.state.rooms.size).toBe(0);
    const methods = world.livekit.requests.map(({ method }) => method);
    expect(methods.slice(-2)).toEqual(["RoomService/CreateRoom", "RoomService/DeleteRoom"]);
  });

  test("for people it is a list, without colours in a pipe", async () => {
    const { exitCode, stdout, stderr } = await runCommandLine(
      ["doctor", "--config", world.file, "--url", world.server.url],
      {
        env: { NODE_EXTRA_CA_CERTS: world.ca.caFile },
      },
    );
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout.replaceAll(/\d+ (?=[GM]iB|ms|days)/g, "N ").replaceAll(/http:\/\/\S+?(?=[\s,])/g, "URL")).toBe(
      [
        "configuration",
        "  ok       The configuration is right.",
        "",
        "storage",
        `  ok       The data directory ${join(world.directory.path, "data")} can be written, process ${world.server.pid} uses it; N GiB are free.`,
        "",
        "service",
        "  ok       The service at URL runs and can take calls.",
        "",
        "livekit",
        "  ok       LiveKit at URL accepts the API key devkey, which may set up SIP.",
        "",
        "clock",
        "  ok       The clocks of this machine and of LiveKit's agree.",
        "",
        "trunk and rule",
        "  ok       Calls come in by trunk and rule as configured, with the headers that hosts are read from.",
        "",
        "hooks",
        "  ok       tenant-a.example.com: 200 after N ms, its certificate is good for N days.",
        "",
        "Nothing was found that loses calls.",
        "",
      ].join("\n"),
    );
  });
});

describe("used wrongly", () => {
  test.each([
    [["doctor", "a.example", "--host", "b.example"], "Name one call: the argument, or --host."],
    [["doctor", "--wait", "soon"], "--wait takes a number of seconds, 600 at most: soon"],
  ])("%j ends with 2", async (args, message) => {
    const { exitCode, stderr } = await runCommandLine(args);
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: `error: ${message}\n` });
  });

  test("a configuration that is wrong ends with 1 and all that is wrong with it", async () => {
    const { exitCode, stderr } = await runCommandLine(["doctor"], { env: { SIP_ROOM_PREFIX: "a b", PORT: "x" } });
    expect(exitCode).toBe(1);
    expect(stderr).toStartWith("error: The configuration has 3 problems:\n");
  });
});
