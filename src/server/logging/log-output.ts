import type { Readable } from 'node:stream';

/** Where every line of the log goes, from every writer. */
export interface LogOutput {
  write(lines: string): unknown;
}

/** Of one request a reader at a terminal wants one short line. */
const REQUEST_FIELDS = [
  'requestId',
  'method',
  'path',
  'status',
  'bytes',
  'ms',
  'user',
  'repository',
  'address',
  'agent',
];

/** Bytes that may wait for the log's reader. A pipe holds 64 KiB; all beyond that is this process's memory. */
const MAX_BEHIND = 8 << 20;

let output: LogOutput = process.stdout;

export function logOutput(): LogOutput {
  return output;
}

/** Whether the reader is so slow that lines which any client can cause are dropped. */
export function isReaderBehind(): boolean {
  return process.stdout.writableLength > MAX_BEHIND;
}

/** Writes what another process of this registry logs: whole lines, so that those of several do not mix. */
export function forwardLines(from: Readable): void {
  let begun = '';
  from.setEncoding('utf8');
  from.on('data', (text: string) => {
    const end = text.lastIndexOf('\n') + 1;
    if (end > 0) output.write(begun + text.slice(0, end));
    begun = (end > 0 ? '' : begun) + text.slice(end);
    if (!isReaderBehind()) return;
    from.pause(); // so that it notices, and leaves out what it can
    process.stdout.once('drain', () => from.resume());
  });
  from.on('end', () => {
    if (begun !== '') output.write(`${begun}\n`); // it was killed in the middle of a line
  });
}

/** From now on the same lines are laid out for reading. */
export async function layOutForReading(): Promise<void> {
  const { default: pretty } = await import('pino-pretty'); // loaded only where it is used
  output = pretty({
    colorize: true,
    translateTime: 'SYS:HH:MM:ss',
    singleLine: true,
    sync: true,
    errorLikeObjectKeys: ['err'],
    ignore: ['event', ...REQUEST_FIELDS].join(','),
    messageFormat: (line, messageKey) => (line['event'] === 'request' ? requestText(line) : textOf(line[messageKey])),
  });
}

export function requestText(line: Readonly<Record<string, unknown>>): string {
  const [method, path, status, bytes, ms, user] = ['method', 'path', 'status', 'bytes', 'ms', 'user'].map((name) =>
    textOf(line[name]),
  );
  return `${method ?? ''} ${path ?? ''} ${status ?? ''} ${bytes ?? ''} B ${ms ?? ''} ms ${user ?? ''}`.trimEnd();
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
