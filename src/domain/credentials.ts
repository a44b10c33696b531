import { isToken } from "./http-header";
import type { SecretSource } from "./secret";

/** What a hook wants to see beside the signature; `Value` is what a secret part is. */
export type CredentialsOf<Value> = {
  readonly authorization?:
    | { readonly kind: "bearer"; readonly token: Value }
    | { readonly kind: "basic"; readonly username: string; readonly password: Value };
  readonly header?: { readonly name: string; readonly value: Value };
  /** PEM, for TLS client authentication. */
  readonly clientCertificate?: { readonly certificate: Value; readonly key: Value };
};

/** A hook's credentials. Values are read when they are needed, so that a changed file counts. */
export type Credentials = CredentialsOf<SecretSource>;

/** The same as it is stored: references (`env:NAME`, `file:PATH`) in the place of values. */
export type CredentialRefs = CredentialsOf<string>;

/** The same as people write it, in the configuration and in the API. */
export type WrittenCredentials<Value> = {
  readonly bearer?: Value;
  readonly basic?: { readonly username: string; readonly password: Value };
  readonly header?: { readonly name: string; readonly value: Value };
  readonly client_certificate?: { readonly certificate: Value; readonly key: Value };
};

/** What is wrong, and in which member. */
export type CredentialsFault = { readonly member: string; readonly message: string };

/**
 * Headers that are ours (delivery rule 7), that belong to one connection (RFC 9110 section 7.6.1), or that change how the
 * request is read: a value of somebody else's would break the signature, the framing or the certificate check.
 */
const RESERVED_NAMES: ReadonlySet<string> = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "expect",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "traceparent",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "user-agent",
]);
const RESERVED_PREFIXES = ["webhook-", "x-sayna-"];

/** What is wrong with the parts that are no secrets; undefined when nothing is. */
export function credentialsFault(written: WrittenCredentials<unknown>): CredentialsFault | undefined {
  const { bearer, basic, header } = written;
  if (bearer !== undefined && basic !== undefined) {
    return { member: "basic", message: "bearer and basic are both the Authorization header: keep one" };
  }
  // RFC 7617 section 2: the first colon ends the user name, and there are no control characters.
  if (basic !== undefined && /[:\p{Cc}]/u.test(basic.username)) {
    return { member: "basic", message: "a user name with a colon or a control character cannot be sent" };
  }
  return header === undefined ? undefined : headerFault(header.name, bearer !== undefined || basic !== undefined);
}

function headerFault(name: string, hasAuthorization: boolean): CredentialsFault | undefined {
  const lower = name.toLowerCase();
  if (!isToken(name)) return { member: "header", message: "its name is not the name of an HTTP header" };
  if (RESERVED_NAMES.has(lower) || RESERVED_PREFIXES.some((prefix) => lower.startsWith(prefix))) {
    return { member: "header", message: `${lower} is a header that is set here, or that belongs to the connection` };
  }
  return lower === "authorization" && hasAuthorization
    ? { member: "header", message: "bearer or basic sets the Authorization header already" }
    : undefined;
}

/** Reads what `credentialsFault` found nothing wrong with. */
export function readWritten<Value>(written: WrittenCredentials<Value>): CredentialsOf<Value> {
  const { bearer, basic, header, client_certificate: clientCertificate } = written;
  return {
    ...(bearer === undefined ? {} : { authorization: { kind: "bearer", token: bearer } }),
    ...(basic === undefined ? {} : { authorization: { kind: "basic", ...basic } }),
    ...(header === undefined ? {} : { header }),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
  };
}

/** The opposite. */
export function toWritten<Value>(credentials: CredentialsOf<Value>): WrittenCredentials<Value> {
  const { authorization, header, clientCertificate } = credentials;
  return {
    ...(authorization?.kind === "bearer" ? { bearer: authorization.token } : {}),
    ...(authorization?.kind === "basic"
      ? { basic: { username: authorization.username, password: authorization.password } }
      : {}),
    ...(header === undefined ? {} : { header }),
    ...(clientCertificate === undefined ? {} : { client_certificate: clientCertificate }),
  };
}

/** The same credentials with every secret part replaced. */
export function mapCredentials<From, To>(
  { authorization, header, clientCertificate }: CredentialsOf<From>,
  map: (value: From) => To,
): CredentialsOf<To> {
  return {
    ...(authorization?.kind === "bearer" ? { authorization: { kind: "bearer", token: map(authorization.token) } } : {}),
    ...(authorization?.kind === "basic"
      ? {
          authorization: { kind: "basic", username: authorization.username, password: map(authorization.password) },
        }
      : {}),
    ...(header === undefined ? {} : { header: { name: header.name, value: map(header.value) } }),
    ...(clientCertificate === undefined
      ? {}
      : { clientCertificate: { certificate: map(clientCertificate.certificate), key: map(clientCertificate.key) } }),
  };
}

/** Every secret part, in a fixed order. */
export function secretParts<Value>(credentials: CredentialsOf<Value>): readonly Value[] {
  const parts: Value[] = [];
  mapCredentials(credentials, (value) => parts.push(value));
  return parts;
}
