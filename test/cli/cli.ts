import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { run, scratchDirectory, type Finished } from '../support/processes.js';
import { COMPILED } from '../support/registry.js';

export const CLI = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

export interface CliOptions {
  env?: Record<string, string>;
  input?: string;
  cwd?: string;
}

/** Runs the built program to its end, in an empty directory and with these variables alone. */
export async function aerugo(args: string[], { env = {}, input, cwd }: CliOptions = {}): Promise<Finished> {
  if (!existsSync(CLI)) throw new Error(`${CLI} is missing: "npm run build" first ("npm test" does it by itself)`);
  const { PATH = '' } = process.env;
  const place = cwd ?? scratchDirectory('cli');
  return run(process.execPath, [CLI, ...args], {
    cwd: place,
    env: { PATH, HOME: place, ...COMPILED, ...env },
    anyCode: true,
    ...(input === undefined ? {} : { input }),
  });
}
