// Yardstick "naive": what a user would write today. Nothing is stored; the delivery is
// fire and forget; the room -> host map lives in memory.
import { Elysia } from "elysia";
import { WebhookReceiver } from "livekit-server-sdk";
import { port } from "./verify";

const receiver = new WebhookReceiver("devkey", "0123456789abcdef0123456789abcdef");
const hooks = process.env.HOOKS ?? "https://localhost:9443";
const rooms = new Map<string, string>();

new Elysia()
  .post(
    "/livekit/webhook",
    async ({ body, headers, set }) => {
      const raw = body as string;
      let e;
      try {
        e = await receiver.receive(raw, headers.authorization);
      } catch {
        set.status = 401;
        return "";
      }
      const room = e.room?.sid ?? "";
      const host =
        /@([^>;:?]+)/.exec(e.participant?.attributes["sip.h.to"] ?? "")?.[1].toLowerCase() ?? rooms.get(room);
      if (host) {
        rooms.set(room, host);
        fetch(`${hooks}/${host.split(".")[0]}`, {
          method: "POST",
          body: raw,
          headers: { "content-type": "application/webhook+json" },
        })
          .then((r) => r.arrayBuffer())
          .catch(() => {});
      }
      if (e.event === "room_finished") rooms.delete(room);
      return "";
    },
    { parse: "text" },
  )
  .listen({ port, hostname: "127.0.0.1" });
