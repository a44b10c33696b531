/**
 * One instance of the service without sockets: webhooks go in where the HTTP server would hand them over, and what is sent
 * is answered 200 at once. Tells its parent when it is ready, works when told so, and writes what it has done.
 */
import { loadConfig } from "../../plugins/config-loader";
import { createPostgresStorage } from "../../plugins/storage/postgres";
import { createApp } from "../../src/app";
import { systemClock } from "../../src/contracts/clock";
import { livekitToken } from "../../test/support/livekit-token";
import { RECORDED_KEY } from "../../test/support/recordings";
import { silentLog } from "../../test/support/silent-log";
import { callWebhooks, hostOf } from "../../test/torture/call-webhooks";

export type InstanceReport = {
  readonly acknowledged: number;
  readonly refused: number;
  readonly delivered: number;
  readonly p50: number;
  readonly p99: number;
  readonly cpuSeconds: number;
};

const [url = "", name = "", tenantCount = "", callsAtOnce = "", pauseMs = "", seconds = ""] = process.argv.slice(2);
const tenants = Array.from({ length: Number(tenantCount) }, (_, i) => `tenant-${i}`);
const storage = await createPostgresStorage({ url, clock: systemClock, log: silentLog });
const config = loadConfig({
  env: {
    LIVEKIT_API_KEY: RECORDED_KEY.apiKey,
    LIVEKIT_API_SECRET: RECORDED_KEY.apiSecret,
    SIP_ROOM_PREFIX: "sip-",
    SIP_PROVISION: "false",
    SIP_SET_ROOM_OWNER: "false",
    SIP_HOOKS_JSON: JSON.stringify(
      tenants.map((tenant) => ({ host: hostOf(tenant), url: `https://${hostOf(tenant)}/hook`, auth_id: tenant })),
    ),
  },
});
let delivered = 0;
const sender = {
  send: async () => {
    delivered++;
    return {
      kind: "answered",
      status: 200,
      retryAfter: undefined,
      answerStart: new Uint8Array(),
      durationMs: 1,
    } as const;
  },
  close: () => {},
};
const service = await createApp(config, { log: silentLog, clock: systemClock, storage, sender });
await service.start();
process.stdout.write("ready\n");
const parent = process.stdin[Symbol.asyncIterator]();
await parent.next();

const end = performance.now() + Number(seconds) * 1000;
const cpu = process.cpuUsage();
const waits: number[] = [];
let refused = 0;
await Promise.all(Array.from({ length: Number(callsAtOnce) }, (_, i) => sendCalls(i)));
const used = process.cpuUsage(cpu);
waits.sort((a, b) => a - b);
const report: InstanceReport = {
  acknowledged: waits.length,
  refused,
  delivered,
  p50: waits[Math.floor(waits.length * 0.5)] ?? 0,
  p99: waits[Math.floor(waits.length * 0.99)] ?? 0,
  cpuSeconds: (used.user + used.system) / 1e6,
};
process.stdout.write(`${JSON.stringify(report)}\n`);
// Until the parent has looked at the database.
await parent.next();
await service.stopSending(0);
await service.close();
process.exit(0);

/** As LiveKit does: a room's next event some time after the one before has been answered. */
async function sendCalls(line: number): Promise<void> {
  for (let n = 0; performance.now() < end; n++) {
    const tenant = tenants[(line + n) % tenants.length] ?? "";
    for (const { body } of callWebhooks(`${name}x${line}x${n}`, [tenant])) {
      const headers = { authorization: livekitToken(body), "content-type": "application/webhook+json" };
      await Bun.sleep(Math.random() * Number(pauseMs));
      const began = performance.now();
      if (began >= end) return;
      const request = new Request("http://localhost/livekit/webhook", { method: "POST", body, headers });
      const { status } = await service.app.handle(request);
      if (status === 200) waits.push(performance.now() - began);
      else refused++;
    }
  }
}
