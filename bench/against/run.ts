import { root } from '../../scripts/install.mjs';
import { median, uncertainty } from '../statistics.ts';
import { type OwnTarget, startAerugo } from '../targets.ts';
import { compare, type Cost } from './compare.ts';
import { OPERATIONS } from './operations.ts';
import { checkOut } from './other-checkout.ts';

export interface AgainstOptions {
  readonly revision: string;
  readonly rounds: number;
  readonly isJson: boolean;
}

interface Comparison {
  readonly name: string;
  /** Milliseconds of CPU an operation, medians of the rounds. */
  readonly own: number;
  readonly other: number;
  /** own ÷ other: the median of the rounds' own ratios, and how far it may be off. */
  readonly ratio: number;
  readonly uncertainty: number;
  readonly ratios: readonly number[];
}

/** This build beside that of another commit: the CPU an operation of both, and the ratio. */
export async function runAgainst(options: AgainstOptions, stop: AbortSignal): Promise<void> {
  const { revision, rounds, isJson } = options;
  const checkout = await checkOut(root, revision, process.execPath, stop);
  try {
    const costs = new Map<string, Cost[]>(OPERATIONS.map(({ name }) => [name, []]));
    for (let round = 0; round < rounds; round++) {
      await runRound(checkout.directory, round, costs, stop);
      process.stderr.write(`round ${round + 1} of ${rounds}\n`);
    }
    const comparisons = [...costs].map(([name, figures]) => compared(name, figures));
    const { commit } = checkout;
    if (isJson)
      process.stdout.write(`${JSON.stringify({ against: commit, rounds, unit: 'ms', comparisons }, null, 2)}\n`);
    else process.stdout.write(table(commit, rounds, comparisons));
  } finally {
    checkout.remove();
  }
}

/**
 * New processes in each round: where code and data come to lie differs from start to start, and makes two starts of the
 * same build differ by some per cent for as long as they live.
 */
async function runRound(
  otherRoot: string,
  round: number,
  costs: ReadonlyMap<string, Cost[]>,
  stop: AbortSignal,
): Promise<void> {
  const running: OwnTarget[] = [];
  const start = async (directory: string) => {
    stop.throwIfAborted();
    const target = await startAerugo({ root: directory });
    running.push(target);
    return target;
  };
  try {
    const first = await start(round % 2 === 0 ? root : otherRoot);
    const second = await start(round % 2 === 0 ? otherRoot : root);
    const pair = round % 2 === 0 ? ([first, second] as const) : ([second, first] as const);
    for (const operation of OPERATIONS) costs.get(operation.name)?.push(await compare(operation, pair, stop));
  } finally {
    for (const target of running) await target.stop();
  }
}

function compared(name: string, costs: readonly Cost[]): Comparison {
  const ratios = costs.map(({ own, other }) => own / other);
  return {
    name,
    own: median(costs.map(({ own }) => own)),
    other: median(costs.map(({ other }) => other)),
    ratio: median(ratios),
    uncertainty: uncertainty(ratios),
    ratios,
  };
}

const WIDTH = 14;

function table(commit: string, rounds: number, comparisons: readonly Comparison[]): string {
  const row = (...cells: string[]) =>
    `${cells
      .map((cell) => cell.padEnd(WIDTH))
      .join('')
      .trimEnd()}\n`;
  return [
    `\nCPU an operation of the registry's processes and its PostgreSQL's, median of ${rounds} rounds\n`,
    row('', 'this build', commit.slice(0, 10), 'ratio'),
    ...comparisons.map(({ name, own, other, ratio, uncertainty: error }) =>
      row(name, `${own.toFixed(3)} ms`, `${other.toFixed(3)} ms`, `${ratio.toFixed(2)}× ± ${error.toFixed(2)}`),
    ),
  ].join('');
}
