import { text } from 'node:stream/consumers';
import { CliError, EXIT_CODES, type ExitCode } from '../exit-codes.js';
import { print, type OutputOptions } from '../output.js';
import { Connection } from './connection.js';
import { type Credentials, dockerCredentials } from './credentials.js';
import { openProgress } from './progress.js';
import { Push, type PushedBlob } from './push.js';
import { readImage } from './read-image.js';
import { parseTarget } from './target.js';

export interface PushOptions extends OutputOptions {
  readonly image?: string;
  readonly username?: string;
  readonly passwordStdin?: true;
  readonly insecure?: true;
  readonly quiet?: true;
  readonly direct: boolean;
  /** Bytes. */
  readonly chunkSize?: number;
}

/** Throws `CliError`. */
export async function pushCommand(path: string, reference: string, options: PushOptions): Promise<ExitCode> {
  const target = parseTarget(reference, options.insecure === true);
  const credentials = await credentialsFor(target.host, options);
  const image = await readImage(path, options.image);
  const total = image.blobs.reduce((sum, { size }) => sum + size, 0);
  const progress = openProgress(total, options.quiet === true);
  const stop = new AbortController();
  const connection = new Connection(target, credentials, stop.signal);
  try {
    const blobs = await new Push(connection, progress, options).run(image);
    progress.end();
    const { digest, mediaType } = image.root;
    print(
      options,
      { reference, digest, mediaType, blobs },
      options.quiet === true ? [digest] : [summary(blobs, reference, digest)],
    );
    return EXIT_CODES.ok;
  } finally {
    progress.end();
    stop.abort(); // what else was under way
  }
}

function summary(blobs: readonly PushedBlob[], reference: string, digest: string): string {
  const sent = blobs.filter(({ way }) => way !== 'there already');
  const bytes = sent.reduce((sum, { size }) => sum + size, 0);
  return `pushed ${reference} ${digest} (${blobs.length} blobs, ${sent.length} sent, ${bytes} bytes)`;
}

async function credentialsFor(host: string, { username, passwordStdin }: PushOptions): Promise<Credentials | null> {
  if (username === undefined && passwordStdin !== true) return dockerCredentials(host);
  if (username === undefined || passwordStdin !== true) {
    throw new CliError('--username and --password-stdin go together', EXIT_CODES.usage);
  }
  const password = (await text(process.stdin)).replace(/\r?\n$/, '');
  return { username, password };
}
