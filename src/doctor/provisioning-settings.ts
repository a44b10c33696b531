import type { SipConfig } from "../../plugins/config-loader";
import type { ProvisioningSettings } from "../../plugins/provisioner";

/** What the configuration says of LiveKit's trunk and dispatch rule. */
export const provisioningSettings = (sip: SipConfig): ProvisioningSettings => ({
  roomPrefix: sip.room_prefix,
  allowedAddresses: sip.allowed_addresses,
  maxParticipants: sip.max_participants,
  hostHeaders: sip.host_headers,
});
