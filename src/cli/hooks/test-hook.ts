import type { HookTestAnswer, HookTestView } from "../../../plugins/webhook-forwarder/hook-test/hook-test-schemas";
import type { Paint } from "../../demo/paint";
import type { ApiClient } from "../api-client";
import { EXIT, type ExitCode } from "../exit-code";
import type { Output } from "../output";
import { showLength } from "../show-time";
import { renderFields, type Cell } from "../table";

/** A certificate that ends sooner is worth a word: renewals come 30 days before the end. */
const SOON_DAYS = 14;

const MEANING = {
  delivered: "a delivery would arrive",
  refused_event: "a delivery would be tried 3 times, and then given up: the hook refuses the event itself",
  gone: "410: the first delivery would pause the hook",
  endpoint_failed: "a delivery would fail, and be tried again",
} as const;

/** 1 unless a delivery would arrive now. */
export async function testHook(api: ApiClient, output: Output, host: string): Promise<ExitCode> {
  output.progress(`Sending an example to the hook of ${host} …`);
  const answer = await api.send<HookTestAnswer>("POST", "/sip/hooks/test", { host });
  output.answer(answer, (paint) => renderTest(answer.test, paint));
  return answer.test.ok ? EXIT.ok : EXIT.failed;
}

function renderTest(test: HookTestView, paint: Paint): string[] {
  const { attempt, signatures, webhook_id: webhookId } = test;
  return renderFields(
    {
      hook: `${test.host}${test.auth_id === undefined ? "" : ` (${test.auth_id})`}`,
      url: test.url,
      address: addressOf(test),
      tls: tlsOf(test),
      signed: signatures.length > 0 ? `${signatures.join(", ")}; webhook-id ${webhookId}` : NOT_SIGNED,
      answer: answerOf(test),
      time: showLength(attempt.duration_ms),
      state: stateOf(test),
      result: resultOf(test),
    },
    paint,
  );
}

const NOT_SIGNED: Cell = { text: "no: there is no secret and no signing key, or one cannot be read", colour: "yellow" };

function addressOf({ address: { allowed, used } }: HookTestView): Cell {
  if (allowed) return used === undefined ? "allowed" : `${used}, allowed`;
  return {
    text: "not allowed: a hook added at run time may not reach a private address, unless it is in allowed_hook_ranges",
    colour: "red",
  };
}

function tlsOf({ tls }: HookTestView): Cell | undefined {
  if (tls === undefined) return undefined;
  const { protocol, names, issuer, valid_to: validTo, days_left: daysLeft } = tls;
  if (validTo === undefined || daysLeft === undefined) return protocol;
  const day = validTo.slice(0, 10);
  const end = daysLeft < 0 ? `ended on ${day}` : `good until ${day} (${daysLeft} ${daysLeft === 1 ? "day" : "days"})`;
  const text = `${protocol}, certificate of ${names} by ${issuer}, ${end}`;
  if (daysLeft < 0) return { text, colour: "red" };
  return daysLeft < SOON_DAYS ? { text, colour: "yellow" } : text;
}

function answerOf({ attempt: { status, error, answer_start: start }, outcome }: HookTestView): Cell {
  const colour = outcome === "delivered" ? "green" : "red";
  if (error !== undefined) {
    return {
      text: `none: ${error.code} (${error.step})${error.message === undefined ? "" : `: ${error.message}`}`,
      colour,
    };
  }
  return { text: `${status}${start === undefined || start === "" ? "" : `: ${start}`}`, colour };
}

function stateOf({ state, breaker }: HookTestView): Cell {
  if (state === "paused") return { text: "paused: deliveries wait until `sayna-sip hooks resume`", colour: "yellow" };
  if (breaker === undefined) return "active";
  return { text: `active, but taken not to work: ${breaker.reason}; it is tried again by itself`, colour: "yellow" };
}

function resultOf({ ok, outcome, state }: HookTestView): Cell {
  if (ok) return { text: "ok", colour: "green" };
  if (outcome === "delivered" && state === "paused") return { text: "it works, but it is paused", colour: "yellow" };
  const meaning = outcome in MEANING ? MEANING[outcome as keyof typeof MEANING] : outcome;
  return { text: meaning, colour: "red" };
}
