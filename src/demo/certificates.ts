import { generate } from "selfsigned";

export type Certificate = { readonly cert: string; readonly key: string };

/** A certificate authority that exists for one run. */
export type Authority = {
  /** PEM, for NODE_EXTRA_CA_CERTS. */
  readonly cert: string;
  /** A server certificate for 127.0.0.1. */
  issue(commonName: string): Promise<Certificate>;
};

const KEYS = { keyType: "ec", algorithm: "sha256" } as const;

export async function createAuthority(): Promise<Authority> {
  const authority = await generate([{ name: "commonName", value: "sayna-sip demo CA" }], {
    ...KEYS,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, critical: true },
    ],
  });
  return {
    cert: authority.cert,
    async issue(commonName) {
      const issued = await generate([{ name: "commonName", value: commonName }], {
        ...KEYS,
        ca: { key: authority.private, cert: authority.cert },
        extensions: [
          { name: "basicConstraints", cA: false },
          { name: "extKeyUsage", serverAuth: true },
          { name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] },
        ],
      });
      return { cert: issued.cert, key: issued.private };
    },
  };
}
