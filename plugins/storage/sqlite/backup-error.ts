/** A backup could not be made or put back; the message says why, the hint what to do. Nothing was changed. */
export class BackupError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.name = "BackupError";
    this.hint = hint;
  }
}
