/** A kind of machine that a binary is made for: Linux with glibc. */
export type Target = "linux-x64" | "linux-arm64";

export const TARGETS: readonly Target[] = ["linux-x64", "linux-arm64"];

/** The npm package with Bun for it. */
export const RUNTIME_PACKAGES: Readonly<Record<Target, string>> = {
  "linux-x64": "@oven/bun-linux-x64",
  "linux-arm64": "@oven/bun-linux-aarch64",
};

export const isTarget = (name: string): name is Target => TARGETS.some((target) => target === name);
