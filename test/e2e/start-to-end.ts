import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runDirectory, start } from '../support/processes.js';
import { startRegistry, type Registry } from '../support/registry.js';

const MAIN = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));

/** As `npm start` does without any setting, whatever the suite's are. */
export function startEmbedded(env: Record<string, string> = {}): Promise<Registry> {
  return startRegistry({ database: 'embedded', store: 'filesystem', redis: false, env });
}

export function startAgain(registry: Registry): Promise<Registry> {
  return startRegistry({ like: registry });
}

export interface Ending {
  code: number | null;
  stderr: string;
}

/** Runs the built registry with these settings alone until it ends by itself. */
export function startToEnd(env: Record<string, string>): { child: ChildProcess; ended: Promise<Ending> } {
  const { PATH = '', HOME = '/' } = process.env;
  // No config.toml and no .env of the checkout.
  const cwd = path.join(runDirectory(), 'empty');
  mkdirSync(cwd, { recursive: true });
  const child = start(process.execPath, [MAIN], {
    cwd,
    env: { PATH, HOME, LISTEN_ADDRESS: '127.0.0.1:0', ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stderr }));
  return { child, ended };
}
