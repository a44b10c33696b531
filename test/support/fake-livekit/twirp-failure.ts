/** The codes of Twirp version 7 that LiveKit answers with here, and their HTTP statuses. */
const STATUS = {
  bad_route: 404,
  internal: 500,
  invalid_argument: 400,
  malformed: 400,
  not_found: 404,
  unauthenticated: 401,
} as const;

/** An error that LiveKit's handlers answer as `{"code", "msg"}`. */
export class TwirpFailure extends Error {
  readonly status: number;

  constructor(
    readonly code: keyof typeof STATUS,
    message: string,
  ) {
    super(message);
    this.status = STATUS[code];
  }
}
