import { Argument, Command } from "@commander-js/extra-typings";
import { runCommand } from "./run-command";
import { jsonCommand } from "./service-options";

const KINDS = ["hook-secret", "signing-key", "api-secret"] as const;

/** `sayna-sip keys …`: what signs and what opens. */
export function keysCommand() {
  return new Command("keys").description("make secrets and keys for the configuration").addCommand(generate());
}

function generate() {
  return jsonCommand("generate")
    .description("print new ones, as the configuration takes them; nothing is kept")
    .addArgument(new Argument("[kinds...]", "which ones; all without it").choices(KINDS))
    .addHelpText("after", "\nExamples:\n  sayna-sip keys generate\n  sayna-sip keys generate hook-secret --json")
    .action((kinds, flags) =>
      runCommand(flags, async (output) => {
        const { generateKeys, showKeys } = await import("./keys/generate-keys");
        const keys = generateKeys(kinds.length === 0 ? KINDS : kinds);
        output.answer(keys, () => showKeys(keys));
        return undefined;
      }),
    );
}
