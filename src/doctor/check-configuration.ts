import { startupNotes, type Config } from "../../plugins/config-loader";
import { ok, problem, warning, type Finding } from "./finding";

/** What a right configuration leaves to be said. One that is wrong never gets here: the service does not start with it. */
export function checkConfiguration(config: Config): readonly Finding[] {
  if (config.sip === undefined) {
    return [
      problem("configuration", "sip_off", {
        what: "SIP is off: there is no sip block, and no SIP_ variable.",
        why: "LiveKit's webhooks are answered 200 and not kept.",
        mend: "Set sip.room_prefix (SIP_ROOM_PREFIX) and what goes with it; sayna-sip.example.yaml has it all.",
      }),
    ];
  }
  const warned = startupNotes(config).filter(({ level }) => level === "warn");
  return [
    ok("configuration", "configuration_right", "The configuration is right."),
    ...warned.map(({ message }) =>
      warning("configuration", "start_note", {
        what: message,
        why: "The service says so at every start.",
        mend: "Do as it says, or leave it when that is how it is meant.",
      }),
    ),
    ...checkListening(config),
  ];
}

/** The start says it, too; here it matters more when LiveKit is known to be elsewhere. */
function checkListening({ server, livekit }: Config): readonly Finding[] {
  const livekitHost = new URL(livekit.url).hostname.replace(/^\[(.*)\]$/, "$1");
  if (!isLocal(server.host) || isLocal(livekitHost)) return [];
  return [
    warning("configuration", "listens_locally", {
      what: `The service listens on ${server.host}, and LiveKit is on ${livekitHost}.`,
      why: "Only what runs on this machine can deliver webhooks there: a proxy in front of it, or nobody.",
      mend: "Set HOST (server.host) to an address that LiveKit reaches, unless a proxy on this machine passes them on.",
    }),
  ];
}

const isLocal = (host: string): boolean => /^(127\..*|::1|localhost|.*\.localhost)$/.test(host);
