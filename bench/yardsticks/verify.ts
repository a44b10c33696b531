// LiveKit webhook check with node:crypto only, shared by the yardsticks.
import { createHash, createHmac, timingSafeEqual } from "node:crypto";

const KEY = "devkey";
const SECRET = "0123456789abcdef0123456789abcdef";

export function verify(auth: string | null, body: Uint8Array): boolean {
  if (!auth) return false;
  const dot = auth.indexOf(".");
  const last = auth.lastIndexOf(".");
  if (dot < 0 || dot === last) return false;
  const sig = Buffer.from(auth.slice(last + 1), "base64url");
  const want = createHmac("sha256", SECRET).update(auth.slice(0, last)).digest();
  if (sig.length !== want.length || !timingSafeEqual(sig, want)) return false;
  try {
    const head = JSON.parse(Buffer.from(auth.slice(0, dot), "base64url").toString());
    const c = JSON.parse(Buffer.from(auth.slice(dot + 1, last), "base64url").toString());
    const now = Date.now() / 1000;
    return (
      head.alg === "HS256" &&
      c.iss === KEY &&
      c.exp > now &&
      c.nbf <= now + 60 &&
      c.sha256 === createHash("sha256").update(body).digest("base64")
    );
  } catch {
    return false;
  }
}

export const port = Number(process.env.PORT ?? 3000);
export const bad = () => new Response(null, { status: 401 });
export const ok = () => new Response(null, { status: 200 });
