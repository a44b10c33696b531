import type { ManualClock } from "../../support/manual-clock";
import { callWebhooks, type CallWebhook } from "../call-webhooks";
import type { Chance } from "../chance";
import type { AppInProcess } from "./app-in-process";

/** A webhook, and when it is to be sent: ms from the beginning. */
export type Appointment = { readonly at: number; readonly webhook: CallWebhook };

/** Calls that begin at random moments of `spanMs`, each with an event every few seconds. */
export function timetable(
  chance: Chance,
  calls: number,
  spanMs: number,
  tenants: readonly [string, ...string[]],
): Appointment[] {
  const appointments = Array.from({ length: calls }, (_, call) => {
    let at = chance.int(0, spanMs);
    return callWebhooks(`c${call}`, [chance.pick(tenants)]).map((webhook) => {
      at += chance.int(0, 4_000);
      return { at, webhook };
    });
  });
  return appointments.flat().toSorted((a, b) => a.at - b.at);
}

export type Kept = { readonly webhook: CallWebhook; readonly at: number };

/** Sends what is due until `untilMs` from the beginning. @returns what was acknowledged, with the monotonic time. */
export async function keepAppointments(
  app: AppInProcess,
  clock: ManualClock,
  began: number,
  appointments: readonly Appointment[],
): Promise<Kept[]> {
  const kept: Kept[] = [];
  for (const { at, webhook } of appointments) {
    await clock.turn(Math.max(began + at - clock.monotonic(), 0));
    if ((await app.webhook(webhook.body)) === 200) kept.push({ webhook, at: clock.monotonic() });
  }
  return kept;
}
