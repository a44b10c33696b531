import { CONFIG_HELP } from "./config-options";
import { misuse } from "./command-error";
import { runCommand } from "./run-command";
import { serviceCommand } from "./service-options";

const EXAMPLES = `
Examples:
  sayna-sip doctor --config sayna-sip.yaml
  sayna-sip doctor --live
  sayna-sip doctor tenant-a.example.com
  sayna-sip doctor '<sip:+15557654321@tenant-a.example.com>' --json

Exit code: 0 when nothing was found that loses calls, 1 otherwise, 2 when used wrongly.`;

/** `sayna-sip doctor`: why a call does not reach its tenant. */
export function doctorCommand() {
  return serviceCommand("doctor")
    .description("find out why a call does not reach its tenant, from LiveKit to the hook")
    .argument("[call]", "a called host, or the value of a To header: looks only at what calls to it need")
    .option("--host <host>", "the same as the argument")
    .option("-c, --config <file>", CONFIG_HELP)
    .option("--live", "also make a room, and wait for LiveKit's webhook of it")
    .option("--wait <seconds>", "how long --live waits", "15")
    .addHelpText("after", EXAMPLES)
    .action((argument, flags) =>
      runCommand(flags, async (output) => {
        const { diagnose } = await import("./doctor/diagnose");
        const asked = argument ?? flags.host;
        if (argument !== undefined && flags.host !== undefined) throw misuse("Name one call: the argument, or --host.");
        return diagnose({ ...flags, asked, waitMs: readWait(flags.wait) }, output);
      }),
    );
}

function readWait(text: string): number {
  const seconds = Number(text);
  if (seconds > 0 && seconds <= 600) return seconds * 1000;
  throw misuse(`--wait takes a number of seconds, 600 at most: ${text}`);
}
