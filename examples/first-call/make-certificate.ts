/**
 * Makes what a receiver on this machine needs to speak HTTPS: in the directory that is named, `ca.pem` for the service
 * (NODE_EXTRA_CA_CERTS), `cert.pem` and `key.pem` for the receiver.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createAuthority } from "../../src/demo/certificates";

const directory = process.argv[2];
if (directory === undefined) {
  process.stderr.write("Name the directory: bun examples/first-call/make-certificate.ts data/first-call\n");
  process.exit(2);
}
const authority = await createAuthority();
const { cert, key } = await authority.issue("localhost");
await writeFile(join(directory, "ca.pem"), authority.cert);
await writeFile(join(directory, "cert.pem"), cert);
await writeFile(join(directory, "key.pem"), key, { mode: 0o600 });
