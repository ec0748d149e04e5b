import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { end, eventually, onFileEnd, start } from '../support/processes.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Started {
  url: string;
  /** The registry's own process, not npm's. */
  pid: number;
  /** Everything that a user would have seen. */
  output: () => string;
  stop: () => Promise<void>;
  /** `kill -9` of the registry alone; npm then ends by itself. */
  kill: () => Promise<void>;
}

/** Types `npm start`, with nothing but a data directory and an address set, and waits until it listens. */
export async function npmStart(dataDir: string, address: string): Promise<Started> {
  const { PATH = '', HOME = '/' } = process.env;
  const npm = start('npm', ['start'], {
    cwd: ROOT,
    env: { PATH, HOME, DATA_DIR: dataDir, LISTEN_ADDRESS: address },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [npm.stdout, npm.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const hasEnded = () => npm.exitCode !== null || npm.signalCode !== null;
  const stop = async () => {
    if (hasEnded()) return;
    const pid = registryPid(dataDir);
    await end(npm, 'SIGTERM', 60_000);
    await eventually('the registry ends', () => pid === null || !isRunning(pid));
  };
  onFileEnd(stop);

  await eventually('npm start', () => hasEnded() || listeningUrl(output) !== null, 300_000);
  const [url, pid] = [listeningUrl(output), registryPid(dataDir)];
  if (url === null || pid === null) throw new Error(`npm start ended before it listened\n${output}`);
  const kill = async () => {
    process.kill(pid, 'SIGKILL');
    await eventually('npm start ends', hasEnded);
  };
  return { url, pid, output: () => output, stop, kill };
}

function listeningUrl(output: string): string | null {
  const line = output.split('\n').find((text) => text.includes('"event":"listening"'));
  return line === undefined ? null : (JSON.parse(line) as { url: string }).url;
}

/** The lock in the data directory names the process that works in it. */
function registryPid(dataDir: string): number | null {
  const living = readdirSync(path.join(dataDir, 'lock')).map((entry) => Number(entry.split('-')[0]));
  return living.find(isRunning) ?? null;
}

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
