import { expect, test } from "bun:test";
import { join } from "node:path";
import { ROOT } from "./markdown-page";

/** A service that keeps every event, and has no hook for any. */
function startWithoutHooks() {
  const held = { event: "room_started", state: "held", deliveries: [] };
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: ({ url }) => Response.json(url.includes("/sip/calls/") ? { call: { events: [held] } } : {}),
  });
}

test("send-call.ts says that it waits, and how long at most, when nothing is delivered at once", async () => {
  const service = startWithoutHooks();
  const command = [process.execPath, join(ROOT, "examples/first-call/send-call.ts"), service.url.origin];
  const run = Bun.spawn([...command, "nobody.example.com"], {
    env: { ...process.env, LIVEKIT_API_KEY: "key", LIVEKIT_API_SECRET: "secret" },
    stdout: "pipe",
    stderr: "inherit",
  });
  let output = "";
  for await (const chunk of run.stdout) {
    output += new TextDecoder().decode(chunk);
    if (output.split("\n").length > 2) break;
  }
  run.kill();
  await run.exited;
  await service.stop(true);
  expect(output).toMatch(/^10 events were acknowledged; the call is RM_\w+\nwaiting .* for 30 s at most\n$/);
});
