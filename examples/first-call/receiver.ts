import { createHmac, createPublicKey, timingSafeEqual, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";

const { HOOK_SECRET = "", PUBLIC_KEY = "", TLS_CERT, TLS_KEY = "", PORT = "8443" } = process.env;
const secret = Buffer.from(HOOK_SECRET.replace("whsec_", ""), "base64");
const x = Buffer.from(PUBLIC_KEY.replace("whpk_", ""), "base64").toString("base64url");
const publicKey =
  PUBLIC_KEY === "" ? undefined : createPublicKey({ format: "jwk", key: { kty: "OKP", crv: "Ed25519", x } });
// An empty key would take what anybody signs.
if (secret.length < 24 && publicKey === undefined) throw new Error("Set HOOK_SECRET=whsec_… or PUBLIC_KEY=whpk_…");

const MAX_BYTES = 1024 * 1024;
// In a real receiver: a table with a unique key, kept for some days.
const seen = new Set<string>();

/** Whether one of the signatures is right, and made within the last five minutes. */
function isSigned(headers: http.IncomingHttpHeaders, body: Buffer): boolean {
  const timestamp = String(headers["webhook-timestamp"]);
  const age = Math.abs(Date.now() / 1000 - Number(timestamp));
  if (!(age <= 300)) return false;
  const signed = Buffer.concat([Buffer.from(`${String(headers["webhook-id"])}.${timestamp}.`), body]);
  return String(headers["webhook-signature"])
    .split(" ")
    .some((each) => {
      const [version, text = ""] = each.split(",");
      const signature = Buffer.from(text, "base64");
      if (version === "v1a" && publicKey !== undefined) return verify(null, signed, publicKey, signature);
      if (version !== "v1" || secret.length === 0) return false;
      const expected = createHmac("sha256", secret).update(signed).digest();
      return signature.length === expected.length && timingSafeEqual(signature, expected);
    });
}

/** Resolves to the status of the answer. */
async function receive(request: http.IncomingMessage): Promise<number> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) return 413;
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  if (!isSigned(request.headers, body)) return 401;

  const id = String(request.headers["webhook-id"]);
  if (seen.has(id)) return 204;
  const event = JSON.parse(body.toString()) as { event: string; room?: { sid?: string } };
  const again = request.headers["x-sayna-replay"] === "true" ? " (a replay)" : "";
  // Put it where your work begins: a table, a queue. Only then answer, and work afterwards.
  process.stdout.write(`${event.event} of the room ${event.room?.sid ?? "?"}${again}\n`);
  seen.add(id);
  return 204;
}

const listener: http.RequestListener = (request, response) => {
  receive(request).then(
    (status) => response.writeHead(status).end(),
    // It broke off, or the work could not begin: without a 2xx it comes again.
    () => response.writeHead(500).end(),
  );
};
const server =
  TLS_CERT === undefined
    ? http.createServer(listener)
    : https.createServer({ cert: readFileSync(TLS_CERT), key: readFileSync(TLS_KEY) }, listener);
server.listen(Number(PORT), () => {
  const address = server.address();
  process.stdout.write(`listening on port ${typeof address === "object" ? address?.port : PORT}\n`);
});
