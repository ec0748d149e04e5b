import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { eventually, start } from './processes.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface NpmStart {
  /** Of npm, which leads the process group. */
  pid: number;
  output: () => string;
  /** The arguments of npm's `exit`: its code, and the signal that ended it. */
  exit: Promise<unknown[]>;
  /** Without what it waited for a processor that others had. */
  listenedAfterMs: number;
}

/** `npm start` in the checkout, or elsewhere, as a shell runs it, until it says that it listens. */
export async function npmStart(dataDir: string, cwd = ROOT): Promise<NpmStart> {
  const { PATH = '', HOME = '/' } = process.env;
  const env = { PATH, HOME, DATA_DIR: dataDir, LISTEN_ADDRESS: '127.0.0.1:0' };
  const startedAt = performance.now();
  const npm = start('npm', ['start'], { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [npm.stdout, npm.stderr]) stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exit = once(npm, 'exit');
  const isListening = (): boolean => output.includes('"event":"listening"');
  await eventually('npm start listens', () => isListening() || npm.exitCode !== null, 180_000);
  if (!isListening()) throw new Error(`npm start ended with ${String(npm.exitCode)}\n${output}`);
  const tookMs = performance.now() - startedAt;
  return { pid: npm.pid, output: () => output, exit, listenedAfterMs: tookMs - queuedMs(npm.pid) };
}

/** What a process, its only child, the only child of that and so on, each of which waits for the next, were kept waiting. */
function queuedMs(pid: number): number {
  const [, delayNs = 0] = numbersIn(`/proc/${pid}/schedstat`);
  const children = numbersIn(`/proc/${pid}/task/${pid}/children`);
  return delayNs / 1e6 + (children.length === 1 ? queuedMs(Number(children[0])) : 0);
}

/** None where the kernel does not tell. */
function numbersIn(file: string): number[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8').split(/\s+/).filter(Boolean).map(Number);
}
