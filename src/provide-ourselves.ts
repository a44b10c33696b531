import { plugin } from "bun";

let provided = false;

/**
 * Makes `import … from "sayna-sip"` in a plugin mean this very program, wherever the plugin's file is: a plugin in
 * `/etc/sayna-sip` has no node_modules to find it in, and of a second copy the contract could be another one. A copy that
 * is installed there is for the author's editor and tests. Works in a compiled binary, too (Bun 1.4.5, tried).
 */
export function provideOurselves(): void {
  if (provided) return;
  provided = true;
  plugin({
    name: "sayna-sip",
    setup(build) {
      build.module("sayna-sip", async () => ({ exports: await import("./index"), loader: "object" }));
    },
  });
}
