/**
 * Every error that a caller of the HTTP API can see: code, status, what it says, what to do. Thrown as `AppError` by the
 * code that finds the problem and turned into `{"error": {"code", "message", "hint", …}}` in one place, the HTTP layer.
 */
export const ERRORS = {
  invalid_signature: {
    status: 401,
    message: "The webhook's token was not accepted",
    hint: "Webhooks are accepted from a LiveKit that signs with a configured API key and secret only.",
  },
  unauthorized: {
    status: 401,
    message: "Authentication is required",
    hint: "Send Authorization: Bearer <token>, or ?api_key=<token>.",
  },
  forbidden: {
    status: 403,
    message: "This credential may not do that",
    hint: "A tenant's credential reaches its own hooks only, on the hosts that the operator gave it.",
  },
  not_found: {
    status: 404,
    message: "There is nothing at this address",
    hint: "The routes are listed at /openapi.",
  },
  sip_not_configured: {
    status: 404,
    message: "SIP is not configured on this server",
    hint: "Set sip.room_prefix (SIP_ROOM_PREFIX) and restart.",
  },
  signing_key_not_set: {
    status: 404,
    message: "No signing key is configured on this server",
    hint: "Verify deliveries with the shared secret, or ask the operator to set sip.signing_key (SIP_SIGNING_KEY).",
  },
  hook_not_found: {
    status: 404,
    message: "There is no hook for this host",
    hint: "GET /sip/hooks lists the hosts that have one.",
  },
  version_not_found: {
    status: 404,
    message: "There is no such version of the SIP hooks",
    hint: "GET /sip/hooks/versions lists them; 0 is the empty table before the first.",
  },
  delivery_not_found: {
    status: 404,
    message: "There is no such delivery",
    hint: "GET /sip/deliveries lists those that you may see.",
  },
  call_not_found: {
    status: 404,
    message: "There is no such call",
    hint: "GET /sip/calls lists those that you may see.",
  },
  hook_test_under_way: {
    status: 409,
    message: "This hook is being tested already",
    hint: "Wait until that test has ended; it takes no longer than the hook's deadline.",
  },
  method_not_allowed: {
    status: 405,
    message: "This method is not allowed here",
    hint: "The Allow header lists the methods that are.",
  },
  config_host: {
    status: 405,
    message: "A host of the configuration cannot be changed at run time",
    hint: "Change it in the configuration, and reload (SIGHUP).",
  },
  invalid_request: {
    status: 400,
    message: "The request does not have the expected form",
    hint: "See /openapi for the form of this request.",
  },
  invalid_host: {
    status: 400,
    message: "SIP hook host is not a host",
    hint: "Use a host name, an IP address, or a wildcard such as *.example.com, without port and scheme.",
  },
  insecure_url: {
    status: 400,
    message: "SIP hook URL must be HTTPS",
    hint: "Use a URL that begins with https://.",
  },
  invalid_url: {
    status: 400,
    message: "SIP hook URL is not valid",
    hint: "Use an absolute https:// URL without user name, password and fragment.",
  },
  duplicate_host: {
    status: 400,
    message: "Duplicate SIP hook host",
    hint: "Name each host once; upper and lower case are the same.",
  },
  auth_id_required: {
    status: 400,
    message: "auth_id is required when authentication is on",
    hint: "Name the tenant that owns the hook in auth_id.",
  },
  secret_not_allowed: {
    status: 400,
    message: "This secret reference is not allowed",
    hint:
      "Use a reference (env:NAME or file:PATH) that the operator lists, or none: for a tenant in its credential's " +
      "secret_refs, for an operator there or in sip.allowed_secret_refs.",
  },
  invalid_credentials: {
    status: 400,
    message: "SIP hook credentials are not valid",
    hint: "Use bearer or basic, header with a name that is not set here, client_certificate with certificate and key.",
  },
  invalid_delivery: {
    status: 400,
    message: "SIP hook delivery is not valid",
    hint: "Deadline, waits and expiry must fit into max_age: the hook's own, or the one for all.",
  },
  delivery_not_allowed: {
    status: 403,
    message: "This credential may not ask for that delivery",
    hint: "A tenant may ask for less than the operator set for this hook or for all, never for more; or leave it out.",
  },
  invalid_cursor: {
    status: 400,
    message: "The cursor is not one of this list",
    hint: "Use next of the page before as it is, with the same filters; without a cursor the list begins anew.",
  },
  payload_too_large: {
    status: 413,
    message: "The body is too large",
    hint: "Send it in several requests: one may have 4 MiB and 10,000 hooks, a webhook 1 MiB.",
  },
  invalid_json: {
    status: 400,
    message: "The body is not a JSON object",
    hint: "LiveKit sends one JSON object per webhook.",
  },
  hooks_not_saved: {
    status: 500,
    message: "The hooks could not be saved; nothing was changed",
    hint: "Try again; if it goes on, the operator finds the cause in the log.",
  },
  deliveries_not_saved: {
    status: 500,
    message: "Not all of the deliveries could be saved",
    hint: "Send the same request again: what is done is left alone. If it goes on, the operator finds the cause in the log.",
  },
  internal: {
    status: 500,
    message: "Something went wrong on this server",
    hint: "The operator finds the cause in the log, by the request id.",
  },
  not_kept: {
    status: 503,
    message: "The event could not be kept; send it again",
    hint: "Wait as Retry-After says.",
  },
  signing_key_unavailable: {
    status: 503,
    message: "The signing key cannot be read now",
    hint: "Try again later; the operator finds the cause in the log.",
  },
  credentials_missing: {
    status: 503,
    message: "No LiveKit credentials are configured",
    hint: "Set livekit.api_key and livekit.api_secret (LIVEKIT_API_KEY, LIVEKIT_API_SECRET) and restart.",
  },
} as const satisfies Record<string, { status: number; message: string; hint: string }>;

export type ErrorCode = keyof typeof ERRORS;

export type ErrorDetails = {
  /** What is said beside the code's own message: the offending value, never an internal message. */
  readonly message?: string;
  /** More members of the answer's `error` object: the hosts concerned, the field. */
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** For the log only. */
  readonly cause?: unknown;
};

/** An error whose code, message and fields may be shown to the caller. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, details: ErrorDetails = {}) {
    const { message } = ERRORS[code];
    super(details.message === undefined ? message : `${message}: ${details.message}`, { cause: details.cause });
    this.name = "AppError";
    this.code = code;
    this.status = ERRORS[code].status;
    this.fields = details.fields ?? {};
    this.headers = details.headers ?? {};
  }

  /** The answer's body. */
  toBody(): { error: { code: ErrorCode; message: string; hint: string; [field: string]: unknown } } {
    return { error: { code: this.code, message: this.message, hint: ERRORS[this.code].hint, ...this.fields } };
  }
}
