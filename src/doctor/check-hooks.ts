import type { HookTestView } from "../../plugins/webhook-forwarder/hook-test/hook-test-schemas";
import { ok, problem, skipped, warning, type Finding } from "./finding";

/** What gives the hooks, and sends one of them a signed test. */
export type HookTester = {
  readonly hosts: () => Promise<readonly string[]>;
  readonly test: (host: string) => Promise<HookTestView>;
};

/** Tests under way at a time. */
const AT_A_TIME = 8;
/** Receivers renew with 30 days left, as Let's Encrypt's clients do; with 14 that has failed. */
const EXPIRES_SOON_DAYS = 14;

/**
 * Sends every hook a signed test.
 *
 * @param only the one host to test. @param onProgress told how many of how many are done.
 */
export async function checkHooks(
  tester: HookTester,
  only: string | undefined,
  onProgress: (done: number, all: number) => void,
): Promise<readonly Finding[]> {
  const hosts = only === undefined ? await tester.hosts() : [only];
  if (hosts.length === 0) return [noHooks()];
  const findings: Finding[] = [];
  const waiting = [...hosts.entries()];
  let done = 0;
  async function work(): Promise<void> {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, host] = next;
      findings[index] = await testOne(tester, host);
      onProgress(++done, hosts.length);
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  return findings;
}

async function testOne(tester: HookTester, host: string): Promise<Finding> {
  try {
    return judgeHookTest(await tester.test(host));
  } catch (error) {
    return skipped("hooks", `${host} could not be tested: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const noHooks = (): Finding =>
  problem("hooks", "no_hooks", {
    what: "The forwarding table is empty.",
    why: "LiveKit's webhooks are answered 200 and not kept.",
    mend: "Add a hook: sayna-sip hooks add, or sip.hooks in the configuration.",
  });

/** What a test says of its hook: the worst of it. */
export function judgeHookTest(test: HookTestView): Finding {
  const { host, tls, attempt, signatures, state } = test;
  const days = tls?.days_left;
  if (test.outcome !== "delivered") return judgeFailure(test);
  if (state === "paused") {
    return problem("hooks", "hook_paused", {
      what: `The hook of ${host} is paused, though its endpoint answers ${attempt.status}.`,
      why: "Its events wait until it is resumed, and expire after max_age.",
      mend: `sayna-sip hooks resume '${host}'`,
    });
  }
  if (days !== undefined && days < EXPIRES_SOON_DAYS) {
    return warning("hooks", "hook_certificate_expires", {
      what: `The certificate of ${addressOf(test)}, the hook of ${host}, ends in ${days} days.`,
      why: "From then on nothing is delivered.",
      mend: "Its owner must renew it.",
    });
  }
  if (signatures.length === 0) {
    return warning("hooks", "hook_unsigned", {
      what: `Deliveries to the hook of ${host} are not signed.`,
      why: "Its receiver cannot tell them from anybody else's requests.",
      mend: "Set sip.hook_secret (SIP_HOOK_SECRET); sayna-sip keys generate hook-secret makes one.",
    });
  }
  const certificate = days === undefined ? "" : `, its certificate is good for ${days} days`;
  return ok("hooks", "hook_right", `${host}: ${attempt.status} after ${attempt.duration_ms} ms${certificate}.`);
}

type Cause = { readonly code: string; readonly because: string; readonly mend: string };

function judgeFailure(test: HookTestView): Finding {
  const { code, because, mend } = causeOf(test);
  const outcome =
    test.outcome === "gone"
      ? "The hook is paused by the next delivery, until it is resumed."
      : test.outcome === "refused_event"
        ? "Events that are answered so are given up after 3 attempts."
        : "Its events wait, are tried again, and expire after max_age.";
  return problem("hooks", code, {
    what: `The hook of ${test.host} (${addressOf(test)}) ${because}.`,
    why: outcome,
    mend,
  });
}

function causeOf({ attempt, address, tls }: HookTestView): Cause {
  const { status, error = { step: "request", code: "UNKNOWN" } } = attempt;
  if (!address.allowed) {
    return {
      code: "hook_address_forbidden",
      because: "leads to a private address, which a hook added at run time may not reach",
      mend: "List it in sip.allowed_hook_ranges (SIP_ALLOWED_HOOK_RANGES), or put the hook into the configuration.",
    };
  }
  if (status !== undefined) {
    return {
      code: "hook_refuses",
      because: `answers ${status} to a signed test`,
      mend:
        status === 401 || status === 403
          ? "Compare its secret, token or certificate with the hook's."
          : "Mend the receiver.",
    };
  }
  const { code, message = code } = error;
  const said = message.includes(code) ? message : `${message} (${code})`;
  const ended = tls?.days_left !== undefined && tls.days_left < 0 ? ` (its certificate ended on ${tls.valid_to})` : "";
  const byStep: Readonly<Record<string, Cause>> = {
    dns: { code: "hook_dns", because: `has no address: ${said}`, mend: "Correct the URL's host, or its DNS." },
    connect: {
      code: "hook_unreachable",
      because: `cannot be connected to: ${said}`,
      mend: "Check that it runs, and that a firewall lets this machine reach it.",
    },
    tls: {
      code: "hook_tls",
      because: `has no certificate that can be trusted: ${said}${ended}`,
      mend: "Its owner must mend the certificate; a private CA is named by NODE_EXTRA_CA_CERTS.",
    },
    deadline: {
      code: "hook_slow",
      because: `did not answer in time: ${said}`,
      mend: "Let the receiver answer before it works, or raise sip.delivery.deadline.",
    },
  };
  if (code === "SECRET_UNAVAILABLE") {
    return {
      code: "hook_secret",
      because: `cannot be signed for: ${said}`,
      mend: "Make the secret readable for the service.",
    };
  }
  return (
    byStep[error.step] ?? {
      code: "hook_fails",
      because: `does not answer as HTTP asks: ${said}`,
      mend: "Mend the receiver.",
    }
  );
}

/** Origin only: people put tokens into paths and queries. */
const addressOf = ({ url }: HookTestView): string => URL.parse(url)?.origin ?? "an address that is none";
