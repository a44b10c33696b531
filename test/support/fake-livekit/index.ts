import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { judgeAuthorization } from "./access-token";
import type { ApiMethod } from "./api-method";
import { ruleMethods } from "./dispatch-rules";
import { createFaults, type Fault, type FaultPoint } from "./faults";
import { answer, parseJson, readBody } from "./http-exchange";
import { text } from "./list-update";
import { sendWebhooks } from "./send-webhooks";
import { dispatchRule } from "./rule-messages";
import { inboundTrunk } from "./trunk-messages";
import { printMessage, readMessage, type Json } from "./proto-json";
import { roomMethods } from "./rooms";
import { emptyState, type FakeState } from "./state";
import { trunkMethods } from "./trunks";
import { TwirpFailure } from "./twirp-failure";

export type { Fault } from "./faults";
export type { Json } from "./proto-json";
export type { FakeState } from "./state";

export type FakeLiveKitOptions = {
  readonly apiKey?: string;
  readonly apiSecret?: string;
  /** Ids of new trunks (`ST_`) and rules (`SDR_`); default: random, as LiveKit's. */
  readonly newId?: (prefix: string) => string;
};

export type ReceivedRequest = {
  /** `SIP/ListSIPInboundTrunk` */
  readonly method: string;
  /** The JSON as it was sent. */
  readonly request: unknown;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
};

export type FakeLiveKit = {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  readonly port: number;
  readonly apiKey: string;
  readonly apiSecret: string;
  readonly requests: readonly ReceivedRequest[];
  readonly state: FakeState;
  /** Unknown methods, and members of requests that LiveKit does not know: a test ends by finding none. */
  readonly unexpected: readonly string[];
  inject(fault: Fault): void;
  stop(): Promise<void>;
};

const METHODS: Readonly<Record<string, ApiMethod>> = { ...trunkMethods, ...ruleMethods, ...roomMethods };

/**
 * A LiveKit that has only the admin API this project calls (SIP trunks and dispatch rules, rooms and their metadata), as
 * strict as livekit-server 1.13.3 was when `test/fixtures/livekit/sip-admin.jsonl` was recorded. Rooms are made and deleted as
 * its source says (`pkg/service/roomservice.go`), and told of by webhooks as the recorded ones. One difference is on purpose:
 * members that LiveKit 1.13.3 does not know are kept when they were planted in `state`, as a newer LiveKit keeps its
 * own.
 *
 * It listens on 127.0.0.1, on a port of its own, by node:http, which can end a connection without an answer.
 */
export async function startFakeLiveKit(options: FakeLiveKitOptions = {}): Promise<FakeLiveKit> {
  const apiKey = options.apiKey ?? "devkey";
  const apiSecret = options.apiSecret ?? "0123456789abcdef0123456789abcdef";
  const newId = options.newId ?? ((prefix) => `${prefix}${crypto.randomUUID().replaceAll("-", "").slice(0, 12)}`);
  const state = emptyState();
  const faults = createFaults();
  const requests: ReceivedRequest[] = [];
  const unexpected: string[] = [];

  const now = (): number => Date.now() + state.clockAheadMs;
  const tell = sendWebhooks({ state, key: { apiKey, apiSecret }, now });

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(incoming);
    const path = incoming.url ?? "";
    const method = path.replace("/twirp/livekit.", "");
    requests.push({ method, request: parseJson(body), headers: incoming.headers });
    const hits = faults.hitting(method);
    response.setHeader("date", new Date(now()).toUTCString());
    if (await dropped(hits, "request", incoming)) return;
    const instead = hits.find((fault) => "answer" in fault);
    if (instead !== undefined && "answer" in instead) {
      answer(response, instead.answer.status, instead.answer.body, instead.answer.headers);
      return;
    }
    if (path === "/" && incoming.method === "GET") {
      // The health check, which needs no token.
      answer(response, 200, "OK");
      return;
    }
    const [status, result] = await perform(method, incoming, body, hits);
    if (await dropped(hits, "answer", incoming)) return;
    answer(response, status, result);
  }

  async function perform(
    name: string,
    incoming: IncomingMessage,
    body: string,
    hits: readonly Fault[],
  ): Promise<[status: number, body: object | string]> {
    const verdict = judgeAuthorization(incoming.headers.authorization, { apiKey, apiSecret, now: now() });
    if ("refusal" in verdict) return [401, verdict.refusal];
    try {
      const method = route(name, incoming);
      const unknown = new Set<string>();
      const request = readMessage(method.takes, parseJson(body), unknown);
      noteUnknown(name, request, unknown);
      if (!method.mayCall(verdict.grants, request)) throw new TwirpFailure("unauthenticated", "permissions denied");
      const beforeWrite = (): Promise<void> => runHooks(hits, "write");
      return [200, printMessage(method.answers, await method.run(request, { state, newId, beforeWrite, tell, now }))];
    } catch (error) {
      if (!(error instanceof TwirpFailure)) throw error;
      return [error.status, { code: error.code, msg: error.message }];
    }
  }

  function route(name: string, incoming: IncomingMessage): ApiMethod {
    const method = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
    const type = incoming.headers["content-type"]?.split(";", 1)[0]?.trim();
    const problem =
      method === undefined
        ? `no handler for path "${incoming.url}"`
        : incoming.method !== "POST"
          ? `unsupported method "${incoming.method}" (only POST is allowed)`
          : type !== "application/json"
            ? `unexpected Content-Type: "${incoming.headers["content-type"]}"`
            : undefined;
    if (method !== undefined && problem === undefined) return method;
    unexpected.push(`${incoming.method} ${name}: ${problem}`);
    throw new TwirpFailure("bad_route", problem ?? "");
  }

  function noteUnknown(name: string, request: Json, unknown: ReadonlySet<string>): void {
    const planted = new Set<string>();
    const trunk = state.trunks.get(text(request, "sip_trunk_id"));
    const rule = state.rules.get(text(request, "sip_dispatch_rule_id"));
    if (trunk !== undefined) readMessage(inboundTrunk, trunk, planted);
    if (rule !== undefined) readMessage(dispatchRule, rule, planted);
    for (const path of unknown) {
      if (!planted.has(path.replace(/^\.(replace|update)/, ""))) unexpected.push(`${name}: unknown member ${path}`);
    }
  }

  const server = createServer((incoming, response) => {
    handle(incoming, response).catch((error: unknown) => {
      unexpected.push(`the fake itself failed: ${String(error)}`);
      incoming.socket.destroy();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    apiKey,
    apiSecret,
    requests,
    state,
    unexpected,
    inject: (fault) => faults.inject(fault),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function runHooks(hits: readonly Fault[], point: FaultPoint): Promise<void> {
  for (const fault of hits) {
    if (fault.at === point && "run" in fault) await fault.run();
  }
}

/** True when the connection is gone. */
async function dropped(hits: readonly Fault[], point: FaultPoint, incoming: IncomingMessage): Promise<boolean> {
  await runHooks(hits, point);
  if (!hits.some((fault) => fault.at === point && "drop" in fault)) return false;
  incoming.socket.destroy();
  return true;
}
