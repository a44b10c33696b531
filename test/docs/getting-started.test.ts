import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { chmod, cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { startFakeLiveKit } from "../support/fake-livekit";
import { temporaryDirectory } from "../support/server-process";
import { freePort } from "./free-port";
import { readPage, ROOT } from "./markdown-page";

/** What the commands may use: a machine has these, and Node with npm. */
const TOOLS = ["sh", "cat", "grep", "mkdir"];
const guide = readPage("docs/getting-started.md");

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
/** A fresh copy of the tree. */
let tree: string;
let ports: { readonly service: number; readonly receiver: number };

beforeAll(async () => {
  directory = await temporaryDirectory();
  tree = join(directory.path, "sayna-sip");
  const left = new Set(["node_modules", ".git", "data", "coverage", "dist"]);
  await cp(ROOT, tree, { recursive: true, filter: (from) => !left.has(relative(ROOT, from).split("/")[0] ?? "") });
  await mkdir(join(directory.path, "bin"));
  for (const tool of TOOLS) await symlink(Bun.which(tool) ?? "", join(directory.path, "bin", tool));
  // Stands for the registry, which tests do not ask.
  const npm = `#!/bin/sh
[ "$*" = "install --global --prefix $HOME/.sayna-bun bun@${packageJson.engines.bun}" ] || { echo "npm $*"; exit 1; }
mkdir -p "$HOME/.sayna-bun/bin" && ${Bun.which("ln")} -s "${process.execPath}" "$HOME/.sayna-bun/bin/bun"
`;
  await writeFile(join(directory.path, "bin/npm"), npm);
  await chmod(join(directory.path, "bin/npm"), 0o755);
  ports = { service: await freePort(), receiver: await freePort() };
});

afterAll(() => directory.remove());

/** The guide's commands in order, those from the heading "With LiveKit" on apart. */
function commands(part: "before" | "with LiveKit"): string {
  const [before = "", after = ""] = guide.text.split("\n## With LiveKit\n");
  const text = part === "before" ? before : after;
  return [...text.matchAll(/^```sh.*\n([^]*?)^```$/gm)].map(([, content = ""]) => content).join("");
}

/** The paragraph that a code block of the guide shows, as a pattern: an ellipsis stands for what differs. */
function patternOf(name: string): RegExp {
  const block = guide.blocks.find((each) => each.name === name)?.content ?? "nothing";
  const lines = block.trim().replace("8443", String(ports.receiver)).split("\n");
  return new RegExp(lines.map((line) => `^.*${line.split("…").map(RegExp.escape).join("\\w+")}.*$`).join("[^]*"), "m");
}

/** Runs commands in one shell in the fresh copy; nothing that they start is left over. */
async function follow(
  script: string,
  livekitPort = 7880,
): Promise<{ readonly output: string; readonly code: number | null }> {
  const here = script
    .replaceAll("3001", String(ports.service))
    .replaceAll("8443", String(ports.receiver))
    .replaceAll("7880", String(livekitPort))
    // The service's port is said where it is not the default one.
    .replaceAll("\nlivekit:\n", `\nserver: { port: ${ports.service} }\nlivekit:\n`);
  const home = join(directory.path, "home");
  await mkdir(home, { recursive: true });
  const cache = Bun.spawnSync([process.execPath, "pm", "cache"], { cwd: ROOT }).stdout.toString().trim();
  const bin = join(directory.path, "bin");
  const shell = spawn(join(bin, "sh"), ["-e", "-c", here], {
    cwd: tree,
    detached: true,
    env: {
      HOME: home,
      PATH: livekitPort === 7880 ? bin : `${home}/.sayna-bun/bin:${bin}`,
      BUN_INSTALL_CACHE_DIR: cache,
      // Where the guide's service is on port 3001, at which commands look by themselves.
      SAYNA_SIP_URL: `http://127.0.0.1:${ports.service}`,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [shell.stdout, shell.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => shell.on("exit", resolve));
  try {
    if (shell.pid !== undefined) process.kill(-shell.pid, "SIGKILL");
  } catch {
    // All of them have ended by themselves, as they should.
  }
  return { output, code };
}

describe("followed word for word in a fresh copy, with nothing but Node's npm", () => {
  test("it ends in a delivered call", async () => {
    const { output, code } = await follow(commands("before"));
    expect({ output: code === 0 ? "" : output, code }).toEqual({ output: "", code: 0 });
    expect(output).toMatch(patternOf("receiver"));
    expect(output).toMatch(patternOf("result"));
  }, 240_000);

  test("its second part makes LiveKit's trunk and rule, and ends in another delivered call", async () => {
    const apiSecret = (await readFile(join(tree, "data/first-call/livekit-secret"), "utf8")).trim();
    const livekit = await startFakeLiveKit({ apiKey: "APIfirst", apiSecret });
    const { output, code } = await follow(commands("with LiveKit"), livekit.port);
    await livekit.stop();
    expect({ output: code === 0 ? "" : output, code }).toEqual({ output: "", code: 0 });
    expect(output).toMatch(patternOf("provisioned"));
    expect(output).toMatch(patternOf("result"));
    expect(livekit.unexpected).toEqual([]);
    expect([...livekit.state.trunks.values()].map(({ name }) => name)).toEqual(["sayna-sip--trunk"]);
  }, 240_000);
});

test("LiveKit's webhook leads to the service's port and route, signed with the key that the service has", () => {
  const livekit = guide.blocks.find(({ name }) => name === "livekit.yaml")?.content ?? "";
  expect(livekit).toContain("http://127.0.0.1:3001/livekit/webhook");
  expect(livekit).toContain("api_key: APIfirst");
});
