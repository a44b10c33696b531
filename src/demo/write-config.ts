import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import type { TenantName } from "./recorded-calls";

export type DemoHook = { readonly tenant: TenantName; readonly url: string; readonly secret: string };

/**
 * Writes the server's configuration into `directory`, where its data goes too.
 *
 * @returns the file's path.
 */
export async function writeConfig(
  directory: string,
  key: { readonly apiKey: string; readonly apiSecret: string },
  hooks: readonly DemoHook[],
): Promise<string> {
  const file = join(directory, "sayna-sip.yaml");
  const config = {
    server: { port: 0 },
    data_dir: join(directory, "data"),
    livekit: { api_key: key.apiKey, api_secret: key.apiSecret },
    sip: {
      room_prefix: "sip-",
      // There is no LiveKit that could be asked for anything.
      provision: false,
      set_room_owner: false,
      hooks: hooks.map(({ tenant, url, secret }) => ({ host: `${tenant}.example.com`, url, auth_id: tenant, secret })),
      // Longer than the demo takes, in short steps: nothing is given up, and nobody has to wait.
      delivery: { schedule: Array.from({ length: 50 }, () => "500ms") },
    },
  };
  await writeFile(file, stringify(config), { mode: 0o600 });
  return file;
}
