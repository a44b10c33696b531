import { SecretUnavailable, type ReadSecret } from "../../../src/contracts/read-secret";
import type { ClientCertificate } from "../../../src/contracts/sender";
import type { Credentials } from "../../../src/domain/credentials";
import { basicAuthorization, isBearerToken, isHeaderValue, isPassword } from "../../../src/domain/http-header";
import type { SecretSource } from "../../../src/domain/secret";

/** Credentials as they are sent. */
export type ReadyCredentials = {
  readonly headers: Readonly<Record<string, string>>;
  readonly clientCertificate?: ClientCertificate;
  /** What must not be kept of an answer that repeats the request's headers. */
  readonly sent: readonly string[];
};

/**
 * Reads a hook's credentials and makes of them what is sent.
 *
 * @throws SecretUnavailable when one cannot be read, or cannot be sent as it is. Fails closed because without it the
 *   receiver would refuse the event, or take it for somebody else's.
 */
export async function readCredentials(
  { authorization, header, clientCertificate }: Credentials,
  readSecret: ReadSecret,
): Promise<ReadyCredentials> {
  const headers: Record<string, string> = {};
  const sent: string[] = [];
  const read = async (source: SecretSource, what: string, fits: (text: string) => boolean): Promise<string> => {
    const value = await readSecret(source);
    if (!fits(value)) throw new SecretUnavailable(source, `has characters that ${what} cannot have`);
    sent.push(value);
    return value;
  };
  if (authorization?.kind === "bearer") {
    headers["authorization"] = `Bearer ${await read(authorization.token, "a bearer token", isBearerToken)}`;
  }
  if (authorization?.kind === "basic") {
    const password = await read(authorization.password, "a password", isPassword);
    const value = basicAuthorization(authorization.username, password);
    headers["authorization"] = value;
    sent.push(value.slice("Basic ".length));
  }
  if (header !== undefined) headers[header.name] = await read(header.value, "a header's value", isHeaderValue);
  if (clientCertificate === undefined) return { headers, sent };
  const cert = await readSecret(clientCertificate.certificate);
  const key = await readSecret(clientCertificate.key);
  return { headers, sent, clientCertificate: { cert, key } };
}
