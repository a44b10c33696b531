import { loadConfig } from "../../plugins/config-loader";
import { createSqliteStorage } from "../../plugins/storage/sqlite";
import { createApp, type SaynaSip } from "../../src/app";
import type { SendRequest, SendResult } from "../../src/contracts/sender";
import type { JsonObject } from "../../src/domain/json";
import { livekitToken } from "./livekit-token";
import { ManualClock } from "./manual-clock";
import { RECORDED_KEY } from "./recordings";
import { recordingLog } from "./recording-log";
import { temporaryDirectory } from "./server-process";
import { webhookJson } from "./webhooks";

export const OPS = "ops-token-1234567890";
export const A = "tenant-a-token-1234567890";
export const B = "tenant-b-token-1234567890";

export type Answer = { readonly status: number; readonly text: string; readonly json: JsonObject };

/** The whole service without a port, with two tenants; what the hooks answer, and the time, are turned by the test. */
export class StartedService {
  /** In the order in which they were sent. */
  readonly sent: SendRequest[] = [];
  /** What the hook at this url answers. */
  answer: (url: string) => SendResult = () => answered(200);
  private constructor(
    readonly clock: ManualClock,
    readonly service: SaynaSip,
    readonly log: ReturnType<typeof recordingLog>,
    readonly dataDir: string,
    readonly end: () => Promise<void>,
  ) {}

  static async start(env: Record<string, string> = {}): Promise<StartedService> {
    const directory = await temporaryDirectory();
    const clock = new ManualClock();
    const log = recordingLog();
    const storage = createSqliteStorage({ dataDir: directory.path, clock, log });
    const secrets = [
      { id: "ops", secret: OPS, role: "operator" },
      { id: "tenant-a", secret: A, role: "tenant", hosts: ["*.a.example.com", "shared.example.com"] },
      { id: "tenant-b", secret: B, role: "tenant", hosts: ["*.b.example.com", "shared.example.com"] },
    ];
    const hooks = [
      { host: "one.a.example.com", url: "https://a.example/hook", auth_id: "tenant-a" },
      { host: "one.b.example.com", url: "https://b.example/hook", auth_id: "tenant-b" },
    ];
    const config = loadConfig({
      env: {
        LIVEKIT_API_KEY: RECORDED_KEY.apiKey,
        LIVEKIT_API_SECRET: RECORDED_KEY.apiSecret,
        SIP_ROOM_PREFIX: "sip-",
        SIP_PROVISION: "false",
        SIP_SET_ROOM_OWNER: "false",
        SIP_HOOKS_JSON: JSON.stringify(hooks),
        AUTH_REQUIRED: "true",
        AUTH_API_SECRETS_JSON: JSON.stringify(secrets),
        ...env,
      },
    });
    const started: { it?: StartedService } = {};
    const sender = {
      send: async (request: SendRequest): Promise<SendResult> => {
        started.it?.sent.push(request);
        return started.it?.answer(request.url) ?? answered(200);
      },
      close: () => {},
    };
    const service = await createApp(config, { log, clock, storage, sender, random: () => 0.5 });
    await service.start();
    const it = new StartedService(clock, service, log, directory.path, async () => {
      await service.stopSending(0);
      await service.close();
      await directory.remove();
    });
    started.it = it;
    return it;
  }

  async request(method: string, path: string, token: string | undefined, body?: unknown): Promise<Answer> {
    const response = await this.service.app.handle(
      new Request(`http://localhost${path}`, {
        method,
        headers: {
          // The same in each answer, so that answers can be compared.
          "x-request-id": "test",
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );
    const text = await response.text();
    return { status: response.status, text, json: JSON.parse(text) as JsonObject };
  }

  get = (path: string, token = OPS) => this.request("GET", path, token);
  post = (path: string, body: unknown, token = OPS) => this.request("POST", path, token, body);

  /** Takes a webhook as LiveKit sends it. */
  async webhook(name: string, members: JsonObject = {}): Promise<void> {
    const body = JSON.stringify(webhookJson(name, members));
    const token = livekitToken(body, { now: Math.floor(this.clock.now() / 1000) });
    const response = await this.service.app.handle(
      new Request("http://localhost/livekit/webhook", {
        method: "POST",
        body,
        headers: { authorization: token, "content-type": "application/webhook+json" },
      }),
    );
    if (response.status !== 200) throw new Error(`answered ${response.status}`);
    await this.clock.turn(1);
  }

  /** A whole call to this host: room_started, participant_joined, participant_left, room_finished. */
  async call(sid: string, host: string): Promise<void> {
    const room = { sid, name: `sip-${sid}` };
    const participant = callerOf(sid, host);
    await this.webhook("room_started", { room });
    await this.webhook("participant_joined", { room, participant });
    await this.webhook("participant_left", { room, participant });
    await this.webhook("room_finished", { room });
  }

  /** The names of the events that this url was sent, in order. */
  namesSentTo(url: string): string[] {
    return this.sent
      .filter((request) => request.url === url)
      .map(({ body }) => String((JSON.parse(new TextDecoder().decode(body)) as JsonObject).event));
  }
}

/** A SIP participant whose particulars carry its call's name. */
export function callerOf(name: string, host: string): JsonObject {
  const attributes = {
    "sip.callID": `SCL_${name}`,
    "sip.callIDFull": `callid-${name}`,
    "sip.phoneNumber": `+1-${name}`,
    "sip.trunkPhoneNumber": `+49-${name}`,
    "sip.h.to": `<sip:+1555@${host}>;tag=SCL_${name}`,
  };
  return { sid: `PA_${name}`, identity: `sip_${name}`, kind: "SIP", attributes };
}

export function answered(status: number, body = ""): SendResult {
  return {
    kind: "answered",
    status,
    retryAfter: undefined,
    answerStart: new TextEncoder().encode(body),
    durationMs: 7,
  };
}
