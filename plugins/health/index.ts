import { Elysia, t } from "elysia";

export type HealthOptions = {
  /** Why calls cannot be taken now, in words for the operator; empty when they can. */
  readonly reasons: () => Promise<readonly string[]>;
};

const Ready = t.Object({ status: t.Literal("ready") }, { examples: [{ status: "ready" }] });
const NotReady = t.Object(
  { status: t.Literal("not_ready"), reasons: t.Array(t.String()) },
  { examples: [{ status: "not_ready", reasons: ["LiveKit's SIP trunk and dispatch rule are being provisioned"] }] },
);

/** `GET /health/live`: the process is up. `GET /health/ready`: calls can be taken, else 503 with the reasons. */
export function health({ reasons }: HealthOptions) {
  return new Elysia({ name: "sayna-sip/health", tags: ["health"] })
    .get("/health/live", () => ({ status: "live" as const }), {
      response: { 200: t.Object({ status: t.Literal("live") }, { examples: [{ status: "live" }] }) },
      detail: { summary: "The process is up", security: [] },
    })
    .get(
      "/health/ready",
      async ({ status }) => {
        const found = await reasons();
        return found.length === 0
          ? { status: "ready" as const }
          : status(503, { status: "not_ready" as const, reasons: [...found] });
      },
      {
        response: { 200: Ready, 503: NotReady },
        detail: {
          summary: "Calls can be taken",
          description: "200 when the storage can be written, credentials are there, and provisioning is done.",
          security: [],
        },
      },
    );
}
