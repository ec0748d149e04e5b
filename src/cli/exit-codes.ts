/** What the program ends with; docs/cli.md and `--help` say the same. */
export const EXIT_CODES = {
  ok: 0,
  /** It was tried and did not work; the reason is on stderr. */
  failed: 1,
  /** The command line is wrong; nothing was tried. */
  usage: 2,
  /** The registry wants a login, or does not allow this one to do it. */
  refused: 3,
  /** `fsck` has found damaged blobs. */
  damaged: 4,
} as const;

export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];

/** A failure that the user can do something about: one line, no stack. */
export class CliError extends Error {
  override readonly name = 'CliError';

  constructor(
    message: string,
    readonly exitCode: ExitCode = EXIT_CODES.failed,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
