import { Command } from "@commander-js/extra-typings";
import { readCount, readVersion } from "./read-count";
import { runCommand } from "./run-command";
import { connect, serviceCommand } from "./service-options";

/** `sayna-sip hooks …`: the forwarding table of a running service. */
export function hooksCommand() {
  return new Command("hooks")
    .description("read, change and test the forwarding table of a running service")
    .addCommand(list())
    .addCommand(add())
    .addCommand(remove())
    .addCommand(history())
    .addCommand(rollback())
    .addCommand(pauseOrResume("pause", "send nothing more to these hooks; their events wait"))
    .addCommand(pauseOrResume("resume", "send what has waited for these hooks, after a pause or a 410"))
    .addCommand(testOne());
}

function list() {
  return serviceCommand("list")
    .description("list the hooks: host, tenant, URL, where each comes from and how it does")
    .addHelpText("after", "\nExamples:\n  sayna-sip hooks list\n  sayna-sip hooks list --json")
    .action((flags) =>
      runCommand(flags, async (output) => (await import("./hooks/list-hooks")).listHooks(connect(flags), output)),
    );
}

function add() {
  return serviceCommand("add")
    .description("add a hook, or replace that of the same host; several from a file, all of them or none")
    .argument("[host]", "the called host, or a wildcard such as *.example.com")
    .argument("[https-url]", "where its events go")
    .option("--auth-id <id>", "the tenant that owns the hook; a tenant's token is its own")
    .option("--secret <reference>", "its signing secret, env:NAME or file:PATH, one that the operator lists")
    .option("--from <file>", 'a JSON file as POST /sip/hooks takes it, {"hooks": […]}; - is the standard input')
    .addHelpText(
      "after",
      "\nExamples:\n" +
        "  sayna-sip hooks add tenant-a.example.com https://hooks.tenant-a.example/livekit --auth-id tenant-a\n" +
        "  sayna-sip hooks add --from hooks.json",
    )
    .action((host, url, flags) =>
      runCommand(flags, async (output) =>
        (await import("./hooks/add-hooks")).addHooks(connect(flags), output, { host, url, ...flags }),
      ),
    );
}

function remove() {
  return serviceCommand("remove")
    .description("delete hooks added at run time: all of them or none; what is pending for them is cancelled")
    .argument("<hosts...>", "their hosts")
    .addHelpText("after", "\nExamples:\n  sayna-sip hooks remove tenant-a.example.com '*.tenant-a.example.com'")
    .action((hosts, flags) =>
      runCommand(flags, async (output) =>
        (await import("./hooks/remove-hooks")).removeHooks(connect(flags), output, hosts),
      ),
    );
}

function history() {
  return serviceCommand("history")
    .description("list the versions of the hooks added at run time; with a version what it changed")
    .argument("[version]", "what this version changed", readVersion)
    .argument("[other]", "what is different in this one", readVersion)
    .option("--limit <count>", "how many versions", readCount, 50)
    .addHelpText(
      "after",
      "\nExamples:\n  sayna-sip hooks history\n  sayna-sip hooks history 12\n  sayna-sip hooks history 9 12",
    )
    .action((version, other, flags) =>
      runCommand(flags, async (output) => {
        const { compareVersions, listVersions } = await import("./hooks/hook-versions");
        if (version === undefined) return listVersions(connect(flags), output, flags.limit);
        const [a, b] = other === undefined ? [Math.max(0, version - 1), version] : [version, other];
        return compareVersions(connect(flags), output, a, b);
      }),
    );
}

function rollback() {
  return serviceCommand("rollback")
    .description("make the hooks added at run time what they were at a version, by a new one: all of them or none")
    .argument("<version>", "the version to go back to; 0 is the empty table before the first", readVersion)
    .option("--dry-run", "only show what would change")
    .addHelpText("after", "\nExamples:\n  sayna-sip hooks rollback 11 --dry-run\n  sayna-sip hooks rollback 11")
    .action((version, flags) =>
      runCommand(flags, async (output) =>
        (await import("./hooks/hook-versions")).rollBack(connect(flags), output, version, flags.dryRun === true),
      ),
    );
}

function pauseOrResume(what: "pause" | "resume", description: string) {
  return serviceCommand(what)
    .description(description)
    .argument("<hosts...>", "their hosts")
    .addHelpText("after", `\nExamples:\n  sayna-sip hooks ${what} tenant-a.example.com`)
    .action((hosts, flags) =>
      runCommand(flags, async (output) =>
        (await import("./hooks/pause-hooks")).pauseHooks(connect(flags), output, what, hosts),
      ),
    );
}

function testOne() {
  return serviceCommand("test")
    .description("send a hook a signed example: address, TLS and its end, time, answer; exit code 1 unless all is well")
    .argument("<host>", "the host of the hook, as the table has it")
    .addHelpText("after", "\nExamples:\n  sayna-sip hooks test tenant-a.example.com")
    .action((host, flags) =>
      runCommand(flags, async (output) => (await import("./hooks/test-hook")).testHook(connect(flags), output, host)),
    );
}
