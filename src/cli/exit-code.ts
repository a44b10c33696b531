/** What every command ends with: well; what was asked about is not well, or it failed; the command was used wrongly. */
export const EXIT = { ok: 0, failed: 1, misused: 2 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
