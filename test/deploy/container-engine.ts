import { readdirSync, readFileSync } from "node:fs";
import { ROOT } from "../readme/readme";

const TAG = "localhost/sayna-sip-test";
/** Pulling a base image and installing packages, at worst. */
const BUILD_MS = 240_000;

/**
 * What a machine without a registry of images, or a sandbox that allows no namespaces, says for itself. Anything else that
 * goes wrong is a fault of the Containerfile.
 */
const NOT_HERE =
  /pinging container registry|initializing source|error pulling|no such host|Operation not permitted|permission denied|newuidmap|user namespace|cannot clone|storage graph driver/i;

export type BuiltContainer = {
  /** The image's settings, as the engine has them. */
  readonly config: {
    readonly User: string;
    readonly Env: readonly string[];
    readonly Labels: Readonly<Record<string, string>>;
    readonly Volumes: Readonly<Record<string, unknown>>;
    readonly Cmd: readonly string[];
    readonly Entrypoint: readonly string[];
    readonly StopSignal: string;
  };
  /** The command on this machine that runs one in a container of the image, on this machine's network. */
  run(command: readonly string[], env: Readonly<Record<string, string>>): readonly string[];
  remove(): void;
};

/** The image, built by the engine that is there; or why it cannot be built on this machine. */
export function buildContainer(): BuiltContainer | { readonly reason: string } {
  // Buildah needs no namespaces with `chroot`, and so works in a container as well.
  if (Bun.which("buildah") !== null) return buildWithBuildah();
  if (Bun.which("podman") !== null) return buildWithPodman();
  return { reason: "neither buildah nor podman is there" };
}

function buildWithBuildah(): BuiltContainer | { readonly reason: string } {
  const options = ["--isolation", "chroot", "--network", "host", "--format", "docker"];
  const built = engine(["buildah", "build", ...options, "--tag", TAG, "."]);
  if (!built.ok) return notHere(built.output);
  const inspected = JSON.parse(engine(["buildah", "inspect", "--type", "image", TAG]).output) as {
    Docker: { config: BuiltContainer["config"] };
  };
  const container = engine(["buildah", "from", TAG]).output.trim();
  return {
    config: inspected.Docker.config,
    run: (command, env) => {
      const settings = Object.entries(env).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
      return ["buildah", "run", "--isolation", "chroot", "--network", "host", ...settings, container, "--", ...command];
    },
    remove: () => {
      engine(["buildah", "rm", container]);
      engine(["buildah", "rmi", TAG]);
    },
  };
}

function buildWithPodman(): BuiltContainer | { readonly reason: string } {
  const built = engine(["podman", "build", "--network", "host", "--format", "docker", "--tag", TAG, "."]);
  if (!built.ok) return notHere(built.output);
  const tried = engine(["podman", "run", "--rm", "--network", "host", TAG, "--version"]);
  if (!tried.ok) return notHere(tried.output);
  const [inspected] = JSON.parse(engine(["podman", "image", "inspect", TAG]).output) as [
    { Config: BuiltContainer["config"] },
  ];
  return {
    config: inspected.Config,
    run: ([program = "", ...rest], env) => {
      const settings = Object.entries(env).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
      return ["podman", "run", "--rm", "--network", "host", ...settings, "--entrypoint", program, TAG, ...rest];
    },
    remove: () => void engine(["podman", "rmi", "--force", TAG]),
  };
}

function notHere(output: string): { readonly reason: string } {
  if (!NOT_HERE.test(output)) throw new Error(`The image cannot be built or run:\n${output}`);
  return { reason: output.trim().split("\n").at(-1) ?? "" };
}

function engine(command: readonly string[]): { readonly ok: boolean; readonly output: string } {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], { cwd: ROOT, stdin: "ignore", timeout: BUILD_MS });
  const output = stdout.toString();
  return exitCode === 0 ? { ok: true, output } : { ok: false, output: `${output}${stderr.toString()}` };
}

/** What the engine's process has started last: the program in the container. Buildah passes no signal on to it. */
export function innermost(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const children = threads.flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean),
  );
  const [child] = children;
  return child === undefined ? pid : innermost(Number(child));
}
