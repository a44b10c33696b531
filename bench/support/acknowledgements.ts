import { livekitToken } from "../../test/support/livekit-token";
import { caller, webhookJson } from "../../test/support/webhooks";

/** One acknowledgement: when it was to be asked for, and how long after that it came. In ms. */
export type Acknowledgement = { readonly at: number; readonly ms: number };

/** Sends signed webhooks of callers to `host`, one each `everyMs` whatever the answers do, until it is stopped. */
export function sendWebhooks(url: string, host: string, everyMs: number) {
  const acknowledged: Acknowledgement[] = [];
  const underWay = new Set<Promise<void>>();
  const stopped = new AbortController();

  async function send(n: number, at: number): Promise<void> {
    const room = { sid: `RM_${at}_${n}`, name: `sip-_${n}` };
    const body = JSON.stringify(
      webhookJson("participant_joined", { room, participant: caller(`PA_${at}_${n}`, host) }),
    );
    const headers = { authorization: livekitToken(body), "content-type": "application/webhook+json" };
    const response = await fetch(`${url}/livekit/webhook`, { method: "POST", headers, body });
    await response.arrayBuffer();
    if (response.status !== 200) throw new Error(`a webhook was answered ${response.status}`);
    acknowledged.push({ at, ms: performance.now() - at });
  }

  const sending = (async () => {
    const began = performance.now();
    for (let n = 0; !stopped.signal.aborted; n++) {
      const at = began + n * everyMs;
      const early = at - performance.now();
      if (early > 0) await Bun.sleep(early);
      const sent = send(n, at).finally(() => underWay.delete(sent));
      underWay.add(sent);
    }
  })();

  return {
    acknowledged,
    async stop(): Promise<void> {
      stopped.abort();
      await sending;
      await Promise.all(underWay);
    },
  };
}
