import type { Hook, Target } from "./target";

/** Pauses hooks, as an operator does. */
export async function pauseHooks({ port }: Target, hooks: readonly Hook[]): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/sip/hooks/pause`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ hosts: hooks.map(({ host }) => host) }),
  });
  if (!response.ok) throw new Error(`the hooks were not paused: ${await response.text()}`);
}

/** True when no delivery is pending any more. */
export async function isAllSettled({ port }: Target): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/sip/deliveries?state=pending&limit=1`);
  const { deliveries } = (await response.json()) as { readonly deliveries: readonly unknown[] };
  return deliveries.length === 0;
}
