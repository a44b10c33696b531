/**
 * The real server with one fault in what it sends: `faulty-server.ts FAULT FILE`. Only events of the answered call's agent
 * are concerned, so that the rest of the demo goes on.
 */
import { loadConfig } from "../../plugins/config-loader";
import { createSender } from "../../plugins/webhook-forwarder/sender";
import { createApp } from "../../src/app";
import type { SendRequest, SendResult } from "../../src/contracts/sender";
import { createLog } from "../../src/json-log";

const [fault = "", file = ""] = process.argv.slice(2);
const sender = createSender({ allowedRanges: [] });
const done: SendResult = {
  kind: "answered",
  status: 200,
  retryAfter: undefined,
  answerStart: Buffer.of(),
  durationMs: 1,
};
let held: SendRequest | undefined;

const FAULTS: Readonly<Record<string, (request: SendRequest) => Promise<SendResult>>> = {
  none: (request) => sender.send(request),
  drop: async () => done,
  twice: async (request) => {
    await sender.send(request);
    return sender.send(request);
  },
  signature: (request) => sender.send({ ...request, headers: { ...request.headers, "webhook-signature": "v1,AAAA" } }),
  byte: (request) =>
    sender.send({ ...request, body: Buffer.from(Buffer.from(request.body).toString().replace(" ", "\t")) }),
  order: async (request) => {
    if (held === undefined) {
      held = request;
      return done;
    }
    await sender.send(request);
    return sender.send(held);
  },
};

function send(request: SendRequest): Promise<SendResult> {
  const body = Buffer.from(request.body).toString();
  const concerned = body.includes('"identity":"agent-1"') && /"(track_published|track_unpublished)"/.test(body);
  return (
    (concerned ? FAULTS[fault] : FAULTS["none"])?.(request) ?? Promise.reject(new Error(`no such fault: ${fault}`))
  );
}

const log = createLog({ level: "info" });
const config = loadConfig({ file });
const service = await createApp(config, { log, sender: { send, close: () => sender.close() } });
service.app.listen({ hostname: config.server.host, port: config.server.port, reusePort: false });
log.info({ url: String(service.app.server?.url) }, "Listening");
await service.start();
process.once("SIGTERM", () => {
  void service.stopSending(500).then(async () => {
    await service.app.server?.stop(true);
    await service.close();
    process.exit(0);
  });
});
