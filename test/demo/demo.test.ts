import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { runDemo } from "../../src/demo/run-demo";
import { temporaryDirectory } from "../support/server-process";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const FAULTY_SERVER = new URL("faulty-server.ts", import.meta.url).pathname;

describe("the demo as a process", () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

  beforeEach(async () => {
    directory = await temporaryDirectory();
  });
  afterEach(() => directory.remove());

  /** From another directory, with settings in the environment that would break the server. */
  function start() {
    const settings = {
      TMPDIR: directory.path,
      SIP_ROOM_PREFIX: "",
      AUTH_REQUIRED: "true",
      LIVEKIT_URL: "nonsense",
      HOST: "192.0.2.1",
      PORT: "1",
      DATA_DIR: "/dev/null",
      http_proxy: "http://127.0.0.1:1",
    };
    const env = { ...process.env, ...settings };
    return Bun.spawn([process.execPath, MAIN, "demo"], { cwd: directory.path, env, stdout: "pipe", stderr: "pipe" });
  }

  test("shows two calls, an outage and its end, with exit code 0 in less than 20 s", async () => {
    const startedAt = performance.now();
    const demo = start();
    const [output, errors, code] = await Promise.all([
      new Response(demo.stdout).text(),
      new Response(demo.stderr).text(),
      demo.exited,
    ]);
    const lines = output.split("\n");
    expect({ code, errors, output }).toMatchObject({ code: 0, errors: "" });
    expect(performance.now() - startedAt).toBeLessThan(20_000);

    expect(output).not.toContain("\u001b[");
    expect(output).toContain("+15550100 calls tenant-a.example.com");
    expect(output).toContain("+15550101 calls Tenant-B.Example.COM");
    expect(lines.filter((line) => / <- LiveKit .* acknowledged \d+\.\d m?s$/.test(line))).toHaveLength(28);
    for (const [tenant, count] of [
      ["tenant-a", 16],
      ["tenant-b", 12],
    ] as const) {
      const received = lines.filter((line) => line.includes(`-> ${tenant}`) && line.endsWith("signature verified"));
      expect(received).toHaveLength(count);
    }
    const places = lines.flatMap((line) => / -> tenant-a .*event (\d+) of 10 /.exec(line)?.[1] ?? []);
    expect(places).toEqual(["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]);
    const [closed = 0, refused = 0, back = 0, delivered = 0] = [
      /tenant-a has closed its port$/,
      / -> tenant-a room_started +ECONNREFUSED +again in \d\.\d s$/,
      /tenant-a is back, after \d+\.\d s$/,
      / -> tenant-a room_finished +event 6 of 6 +signature verified$/,
    ].map((pattern) => lines.findIndex((line) => pattern.test(line)));
    expect([0, closed, refused, back]).toEqual([0, closed, refused, back].toSorted((x, y) => x - y));
    expect(delivered).toBeGreaterThan(back);
    expect(output).toMatch(
      /received +16 +12\n +signature verified +16 +12\n +same bytes +16 +12\n +in order +yes +yes\n +missing +0 +0\n/,
    );
    expect(output).toContain("Nothing is missing");
    expect(lines.filter((line) => line.length > 80 && !line.includes(directory.path))).toEqual([]);
    expect(await readdir(directory.path)).toEqual([]);
  }, 240_000);

  test("ends on Ctrl-C with nothing left behind", async () => {
    const demo = start();
    let output = "";
    for await (const chunk of demo.stdout) {
      output += Buffer.from(chunk).toString();
      if (/acknowledged \d/.test(output)) demo.kill("SIGINT");
    }
    expect(await demo.exited).toBe(130);
    expect(output).toContain("Interrupted (SIGINT)");
    const [, url = ""] = /sayna-sip {2}(http:\S+)/.exec(output) ?? [];
    expect(url).not.toBe("");
    await expect(fetch(url, { proxy: false })).rejects.toThrow();
    expect(await readdir(directory.path)).toEqual([]);
  }, 240_000);
});

describe("with a server that does not do as promised the exit code is 1, and it is said what is wrong", () => {
  const run = async (command: readonly string[], timeLimitMs = 60_000) => {
    let output = "";
    const code = await runDemo({
      write: (text) => (output += text),
      paint: (_, text) => text,
      paceMs: 1,
      timeLimitMs,
      command: (configFile) => [...command, configFile],
    });
    return { code, output };
  };
  const faulty = (fault: string) => [process.execPath, FAULTY_SERVER, fault];

  test.concurrent.each([
    ["order", "tenant-a got the call from +15550100 out of order"],
    ["signature", "tenant-a cannot verify the signature of track_published"],
    ["byte", "tenant-a got track_published (EV_z9VWim4VoJHF, call from +15550100) changed, from byte 27 on."],
    ["twice", "tenant-a got track_published (EV_z9VWim4VoJHF, call from +15550100) more than once."],
    ["drop", "tenant-a is missing track_published (EV_z9VWim4VoJHF, call from +15550100)."],
  ])(
    "fault in what it sends: %s",
    async (fault, problem) => {
      // What is missing may still come until the end of the time.
      const { code, output } = await run(faulty(fault), fault === "drop" ? 15_000 : undefined);
      expect(output).toContain("Not everything was as promised:");
      expect(output).toContain(problem);
      expect(output).not.toContain("Nothing is missing");
      expect(code).toBe(1);
    },
    240_000,
  );

  test("the same server without a fault is found right", async () => {
    const { code, output } = await run(faulty("none"));
    expect(output).toContain("Nothing is missing");
    expect(code).toBe(0);
  }, 240_000);

  test("a server that ends at once", async () => {
    const { code, output } = await run([process.execPath, "-e", "console.log('no port'); process.exit(3)"]);
    expect(output).toContain("The server has ended with exit code 3. Its last lines:\nno port");
    expect(code).toBe(1);
  });

  test("a server that never listens", async () => {
    const { code, output } = await run(
      [process.execPath, "-e", "console.log('wait'); setInterval(() => {}, 1000)"],
      1_500,
    );
    expect(output).toContain("The server was not ready in time. Its last lines:\nwait");
    expect(code).toBe(1);
  });
});
