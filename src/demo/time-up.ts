/** The demo is not finished, and will not be any more. */
export class TimeUp extends Error {
  override readonly name = "TimeUp";

  constructor(limitMs: number) {
    super(`It was not finished within ${limitMs / 1000} s.`);
  }
}
