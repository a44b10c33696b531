import { mkdtempSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "selfsigned";

export type Certificate = { readonly cert: string; readonly key: string };

export type CertificateOptions = {
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** What it is for; a server's without it. */
  readonly usage?: "server" | "client";
  /** Signed by its own key instead of the CA's. */
  readonly selfSigned?: boolean;
};

export type TestCa = {
  /** PEM. */
  readonly cert: string;
  /** Path of a file with the same, for NODE_EXTRA_CA_CERTS, which a process reads once, at its start. */
  readonly caFile: string;
  /** A certificate for these host names and addresses, or, with `usage`, for a client of the first name. */
  issue(names: readonly string[], options?: CertificateOptions): Promise<Certificate>;
};

let shared: Promise<TestCa> | undefined;

/** One certificate authority for the whole test process. */
export function testCa(): Promise<TestCa> {
  shared ??= createTestCa();
  return shared;
}

/** A certificate authority of its own, for a test that needs one that is not trusted. */
export async function createTestCa(): Promise<TestCa> {
  const authority = await generate([{ name: "commonName", value: `Test CA ${crypto.randomUUID()}` }], {
    keyType: "ec",
    algorithm: "sha256",
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, critical: true },
    ],
  });
  let caFile: string | undefined;

  return {
    cert: authority.cert,
    get caFile() {
      caFile ??= writeToFile(authority.cert);
      return caFile;
    },
    async issue(names, { notBefore, notAfter, selfSigned = false, usage = "server" } = {}) {
      const issued = await generate([{ name: "commonName", value: names[0] ?? "nobody" }], {
        keyType: "ec",
        algorithm: "sha256",
        ...(notBefore === undefined ? {} : { notBeforeDate: notBefore }),
        ...(notAfter === undefined ? {} : { notAfterDate: notAfter }),
        ...(selfSigned ? {} : { ca: { key: authority.private, cert: authority.cert } }),
        extensions: [
          { name: "basicConstraints", cA: false },
          { name: "extKeyUsage", serverAuth: usage === "server", clientAuth: usage === "client" },
          {
            name: "subjectAltName",
            altNames: names.map((name) => (isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name })),
          },
        ],
      });
      return { cert: issued.cert, key: issued.private };
    },
  };
}

function writeToFile(cert: string): string {
  const path = join(mkdtempSync(join(tmpdir(), "test-ca-")), "ca.pem");
  writeFileSync(path, cert);
  return path;
}
