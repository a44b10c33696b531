import { hash, timingSafeEqual } from "node:crypto";
import type { Current } from "../../src/contracts/current";
import { AppError } from "../../src/domain/errors";
import type { HostPattern } from "../../src/domain/host-pattern";
import type { Principal } from "../../src/domain/principal";
import type { Secret } from "../../src/domain/secret";
import { readToken } from "./read-token";

export type ApiSecret = {
  /** The operator's name, or a tenant's auth_id. */
  readonly id: string;
  readonly secret: Secret;
  readonly role: "operator" | "tenant";
  /** The hosts that a tenant may add hooks for. */
  readonly hosts: readonly HostPattern[];
};

export type AuthOptions = {
  /** Whether a request without a token is refused; otherwise it is the operator `anonymous`. */
  readonly required: boolean;
  readonly secrets: readonly ApiSecret[];
};

const ANONYMOUS: Principal = { role: "operator", id: "anonymous" };
const CHALLENGE = 'Bearer realm="sayna-sip"';

/** Finds out who sent a request; throws `AppError` `unauthorized` when the caller may not be let in. */
export type Authenticate = (request: Request, bearer?: string) => Principal;

/**
 * Finds out who sent a request.
 *
 * @returns a function of the request and of the token that `@elysiajs/bearer` found in it, which throws `AppError` `unauthorized` when the caller may not be let in.
 * @throws when two secrets are the same, one is empty, or authentication is required and there is none.
 */
export function createAuthenticator({ required, secrets }: AuthOptions): Authenticate {
  const known = secrets.map((entry) => ({ digest: digestOf(entry.secret.reveal()), principal: toPrincipal(entry) }));
  if (secrets.some(({ secret }) => secret.reveal() === "")) throw new Error("An API secret cannot be empty");
  if (new Set(known.map(({ digest }) => digest.toString("hex"))).size < known.length) {
    throw new Error("Two API secrets are the same, so that nobody can tell their callers apart");
  }
  if (required && known.length === 0) throw new Error("Authentication is required, but there is no API secret");

  /** Compares with every secret, so that the time it takes says nothing about any of them. */
  function find(token: string): Principal | undefined {
    const digest = digestOf(token);
    let found: Principal | undefined;
    for (const entry of known) if (timingSafeEqual(entry.digest, digest)) found = entry.principal;
    return found;
  }

  return (request, bearer) => {
    // Nothing could be right: a token of another time, or of a proxy, is not held against the caller.
    if (known.length === 0) return ANONYMOUS;
    const offered = readToken(request, bearer);
    if (offered.kind === "none") {
      if (required) throw unauthorized(CHALLENGE);
      return ANONYMOUS;
    }
    const principal = offered.kind === "token" ? find(offered.token) : undefined;
    // Fails closed also when no token is required: a tenant with a mistyped token must not become the operator.
    if (principal === undefined) throw unauthorized(`${CHALLENGE}, error="invalid_token"`, "the token is not known");
    return principal;
  };
}

function toPrincipal({ id, role, hosts }: ApiSecret): Principal {
  return role === "operator" ? { role, id } : { role, id, hosts };
}

function digestOf(text: string): Buffer {
  return hash("sha256", text, "buffer");
}

/** RFC 6750 section 3: `error` only when a token was offered. */
function unauthorized(challenge: string, message?: string): AppError {
  return new AppError("unauthorized", {
    headers: { "www-authenticate": challenge },
    ...(message === undefined ? {} : { message }),
  });
}

/**
 * The same for options that may change while it runs: another object is another set of them.
 *
 * @throws when the first ones are wrong; see `createAuthenticator`.
 */
export function createCurrentAuthenticator(current: Current<AuthOptions>): Authenticate {
  let known = { options: current(), authenticate: createAuthenticator(current()) };
  return (request, bearer) => {
    const options = current();
    if (options !== known.options) known = { options, authenticate: createAuthenticator(options) };
    return known.authenticate(request, bearer);
  };
}
