export interface OutputOptions {
  readonly json?: true;
}

/** What a command has to say: an object for programs with `--json`, else lines for people. */
export function print(options: OutputOptions, value: object, lines: readonly string[]): void {
  const text = options.json === true ? JSON.stringify(value) : shown(lines.join('\n'));
  if (text !== '') process.stdout.write(`${text}\n`);
}

/** Names and reasons come from archives and registries of others, who would else give the terminal orders. */
const ORDERS = /(?![\n\t])\p{Cc}/gu;

/** Beside the result, and for people only. */
export function note(line: string): void {
  process.stderr.write(`${shown(line)}\n`);
}

function shown(text: string): string {
  return text.replace(ORDERS, '\uFFFD');
}
