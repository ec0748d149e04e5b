import { parseArgs } from 'node:util';
import { SetupError } from '../scripts/install.mjs';

export interface BenchOptions {
  readonly help: boolean;
  /** Commit; `null` without one, which is beside other registries. */
  readonly against: string | null;
  readonly rounds: number;
  readonly isJson: boolean;
  /** Names of workloads; all of them when it is empty. */
  readonly only: readonly string[];
  readonly peers: readonly string[];
}

/** Throws `SetupError` for what the help does not have. */
export function parseOptions(args: readonly string[], workloads: readonly string[]): BenchOptions {
  const { against = null, rounds = against === null ? '5' : '7', help, json: isJson, only, peer: peers } = parse(args);
  if (!/^[1-9]\d{0,2}$/.test(rounds)) throw new SetupError(`--rounds must be 1 to 999, not ${rounds}`);
  const unknown = only.find((name) => !workloads.includes(name));
  if (unknown !== undefined) throw new SetupError(`--only must be one of ${workloads.join(', ')}, not ${unknown}`);
  return { help, against, rounds: Number(rounds), isJson, only, peers };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        rounds: { type: 'string' },
        only: { type: 'string', multiple: true, default: [] },
        peer: { type: 'string', multiple: true, default: [] },
        against: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new SetupError(`${(error as Error).message}: see npm run bench -- --help`, { cause: error });
  }
}
