import type { Hook, Target } from "./target";

/** Pauses hooks, as an operator does. */
export const pauseHooks = (target: Target, hooks: readonly Hook[]): Promise<void> => change("pause", target, hooks);
export const resumeHooks = (target: Target, hooks: readonly Hook[]): Promise<void> => change("resume", target, hooks);

async function change(how: "pause" | "resume", { port }: Target, hooks: readonly Hook[]): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/sip/hooks/${how}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ hosts: hooks.map(({ host }) => host) }),
  });
  if (!response.ok) throw new Error(`the hooks were not changed by ${how}: ${await response.text()}`);
}

/** True when no delivery is pending any more. */
export async function isAllSettled({ port }: Target): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/sip/deliveries?state=pending&limit=1`);
  const { deliveries } = (await response.json()) as { readonly deliveries: readonly unknown[] };
  return deliveries.length === 0;
}
