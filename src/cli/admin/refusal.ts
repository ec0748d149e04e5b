import { CliError, EXIT_CODES } from '../exit-codes.js';

/** What of a problem document is for people. */
export interface Problem {
  readonly title: string;
  readonly detail?: string | undefined;
  readonly errors?: readonly { readonly field?: string; readonly message: string }[] | undefined;
}

/** A refusal in the API's own words. */
export function refusal(status: number, { title, detail, errors = [] }: Problem, cause?: unknown): CliError {
  const fields = errors.map(({ field, message }) =>
    field === undefined || message.includes(field) ? message : `${field} ${message}`,
  );
  const text = [detail ?? title, ...(fields.length === 0 ? [] : [fields.join(', ')])].join(': ');
  return new CliError(text, [401, 403].includes(status) ? EXIT_CODES.refused : EXIT_CODES.failed, { cause });
}
