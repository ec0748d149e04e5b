import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { eventually, start } from './processes.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface NpmStart {
  /** Of npm, which leads the process group. */
  pid: number;
  output: () => string;
  /** The arguments of npm's `exit`: its code, and the signal that ended it. */
  exit: Promise<unknown[]>;
  listenedAfterMs: number;
}

/** `npm start` in the checkout as a shell runs it, until it says that it listens. */
export async function npmStart(dataDir: string): Promise<NpmStart> {
  const { PATH = '', HOME = '/' } = process.env;
  const env = { PATH, HOME, DATA_DIR: dataDir, LISTEN_ADDRESS: '127.0.0.1:0' };
  const startedAt = performance.now();
  const npm = start('npm', ['start'], { cwd: ROOT, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [npm.stdout, npm.stderr]) stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exit = once(npm, 'exit');
  const isListening = (): boolean => output.includes('"event":"listening"');
  await eventually('npm start listens', () => isListening() || npm.exitCode !== null, 180_000);
  if (!isListening()) throw new Error(`npm start ended with ${String(npm.exitCode)}\n${output}`);
  return { pid: npm.pid, output: () => output, exit, listenedAfterMs: performance.now() - startedAt };
}
