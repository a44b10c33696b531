import type { Hook, Target } from "./target";

/** Pauses hooks, as an operator does. */
export const pauseHooks = (target: Target, hooks: readonly Hook[]): Promise<void> => change("pause", target, hooks);
export const resumeHooks = (target: Target, hooks: readonly Hook[]): Promise<void> => change("resume", target, hooks);

const change = (how: "pause" | "resume", { port }: Target, hooks: readonly Hook[]): Promise<void> =>
  post(port, `/sip/hooks/${how}`, { hosts: hooks.map(({ host }) => host) });

async function post(port: number, path: string, body: object): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path} was refused: ${await response.text()}`);
}

/** Gives up what waits for these hooks. */
export async function cancelDeliveries({ port }: Target, hooks: readonly Hook[]): Promise<void> {
  for (const { host } of hooks) await post(port, "/sip/deliveries/cancel", { hook: host });
}

/** True when no delivery is pending any more. */
export async function isAllSettled({ port }: Target): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/sip/deliveries?state=pending&limit=1`);
  const { deliveries } = (await response.json()) as { readonly deliveries: readonly unknown[] };
  return deliveries.length === 0;
}
