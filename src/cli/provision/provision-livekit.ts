import {
  createProvisioner,
  createSipClient,
  listSip,
  previewProvisioning,
  ProvisioningError,
  trunkName,
  dispatchRuleName,
  type ProvisioningSettings,
} from "../../../plugins/provisioner";
import { systemClock } from "../../contracts/clock";
import type { Logger } from "../../contracts/logger";
import { provisioningSettings } from "../../doctor/provisioning-settings";
import type { Secret } from "../../domain/secret";
import { CommandError } from "../command-error";
import { readConfiguration, type ConfigFlags } from "../config-options";
import { EXIT, type ExitCode } from "../exit-code";
import type { Output } from "../output";
import { visible } from "../visible";
import { showPreview, viewPreview } from "./show-preview";

export type ProvisionFlags = ConfigFlags & { readonly dryRun?: true | undefined };

type LiveKitAccess = { readonly url: string; readonly apiKey: string; readonly apiSecret: Secret };

export async function provisionLiveKit(flags: ProvisionFlags, output: Output): Promise<ExitCode> {
  const { livekit, settings } = readAccess(flags);
  return flags.dryRun === undefined ? provisionNow(livekit, settings, output) : showPlan(livekit, settings, output);
}

function readAccess(flags: ConfigFlags): { readonly livekit: LiveKitAccess; readonly settings: ProvisioningSettings } {
  const { sip, livekit } = readConfiguration(flags);
  const { url, api_key: apiKey, api_secret: apiSecret } = livekit;
  if (sip === undefined) {
    throw new CommandError("SIP is off: there is nothing to provision", {
      hint: "Set sip.room_prefix (SIP_ROOM_PREFIX).",
    });
  }
  if (!sip.provision) {
    throw new CommandError("sip.provision is false: LiveKit's trunk and rule are left to somebody else", {
      hint: "Set it to true (SIP_PROVISION=true) to have them made here.",
    });
  }
  if (apiKey === undefined || apiSecret === undefined) {
    throw new CommandError("There are no LiveKit credentials", {
      hint: "Set LIVEKIT_API_KEY and LIVEKIT_API_SECRET (livekit.api_key, livekit.api_secret).",
    });
  }
  return { livekit: { url, apiKey, apiSecret }, settings: provisioningSettings(sip) };
}

/** Ends with 1 when there are several of our name: provisioning would not touch them. */
async function showPlan(livekit: LiveKitAccess, settings: ProvisioningSettings, output: Output): Promise<ExitCode> {
  const listed = await listSip(createSipClient({ ...livekit, clock: systemClock }));
  if (listed.kind === "failed") {
    const { verdict } = listed;
    const hint = verdict.kind === "definite" ? verdict.hint : "Check that LiveKit runs, and livekit.url (LIVEKIT_URL).";
    throw new CommandError(visible(verdict.cause), { hint });
  }
  const preview = previewProvisioning(settings, listed);
  output.answer(viewPreview(preview), (paint) => showPreview(preview, paint));
  return preview.trunk.state === "several" || preview.rule.state === "several" ? EXIT.failed : EXIT.ok;
}

async function provisionNow(livekit: LiveKitAccess, settings: ProvisioningSettings, output: Output): Promise<ExitCode> {
  const provisioner = createProvisioner({ ...livekit, ...settings, clock: systemClock, log: noteLog(output) });
  await provisioner.run().catch((error: unknown) => {
    throw error instanceof ProvisioningError ? new CommandError(visible(error.message)) : error;
  });
  const state = provisioner.state();
  if (state.kind !== "done") return EXIT.failed;
  const { trunkId, dispatchRuleId } = state;
  const names = { trunk: trunkName(settings.roomPrefix), rule: dispatchRuleName(settings.roomPrefix) };
  const answer = {
    trunk: { name: names.trunk, id: trunkId },
    dispatch_rule: { name: names.rule, id: dispatchRuleId },
  };
  output.answer(answer, () => [
    `The trunk ${names.trunk} (${trunkId}) and the dispatch rule ${names.rule} (${dispatchRuleId}) are as configured.`,
  ]);
  return EXIT.ok;
}

/** What the service would log is said meanwhile. */
function noteLog(output: Output): Logger {
  const say = (fields: object, message: string): void => {
    const differences = "differences" in fields ? ` ${JSON.stringify(fields.differences)}` : "";
    const id = "id" in fields ? ` ${JSON.stringify(fields.id)}` : "";
    output.note(visible(`${message}${id}${differences}`));
  };
  return { debug: () => {}, info: say, warn: say, error: say };
}
