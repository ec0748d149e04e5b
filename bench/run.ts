import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { SetupError } from '../scripts/install.mjs';
import { runAgainst } from './against/run.ts';
import { largeBlobOnDisk, largeBlobPush } from './large-blob-push.ts';
import { manifestGet } from './manifest-get.ts';
import { parseOptions } from './options.ts';
import { median } from './statistics.ts';
import { smallImages } from './small-images.ts';
import { peer, startAerugo, startDockerRegistry, type Target } from './targets.ts';
import type { Workload } from './workload.ts';

const WORKLOADS = { manifests: manifestGet, large: largeBlobPush, durable: largeBlobOnDisk, small: smallImages };

const HELP = `npm run bench -- [--rounds 5] [--only ${Object.keys(WORKLOADS).join('|')}] [--peer name=url]…

This registry (embedded PostgreSQL, filesystem, authentication on) beside Debian's docker-registry (filesystem, no
authentication) and any other registry whose URL is given, in turn, medians printed as ratios. Needs wrk and
docker-registry: apt-get install wrk docker-registry

npm run bench -- --against <commit> [--rounds 7] [--json]

This build beside that of another commit, by turns in one run: the CPU that an operation takes of the registry's
processes and its PostgreSQL's, and the ratio. Needs git, and /proc as Linux has it.
`;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

type Figures = Map<string, number[]>;

async function main(stop: AbortSignal): Promise<void> {
  const { help, against, rounds, isJson, only, peers } = parseOptions(process.argv.slice(2), Object.keys(WORKLOADS));
  if (help) {
    print(HELP);
    return;
  }
  if (against !== null) {
    await runAgainst({ revision: against, rounds, isJson }, stop);
    return;
  }
  const chosen = Object.entries(WORKLOADS).filter(([key]) => only.length === 0 || only.includes(key));
  await runBesideOthers(
    chosen.map(([, workload]) => workload),
    peers,
    rounds,
    stop,
  );
}

async function runBesideOthers(
  workloads: readonly Workload[],
  peers: readonly string[],
  rounds: number,
  stop: AbortSignal,
): Promise<void> {
  const targets: Target[] = [];
  try {
    targets.push(await startAerugo());
    targets.push(await startDockerRegistry());
    for (const given of peers) {
      const [name = '', ...url] = given.split('=');
      targets.push(peer(name, url.join('=')));
    }
    for (const workload of workloads) await measure(workload, targets, rounds, stop);
  } finally {
    for (const target of targets) await target.stop();
  }
}

/** Rounds go around the targets, so that a noisy minute of the machine meets them all. */
async function measure(
  workload: Workload,
  targets: readonly Target[],
  rounds: number,
  stop: AbortSignal,
): Promise<void> {
  print(`\n${workload.name} (${workload.unit}, ${rounds} rounds)\n`);
  const figures: Figures = new Map(targets.map(({ name }) => [name, []]));
  for (const target of targets) await workload.prepare?.(target);
  for (let round = 1; round <= rounds; round++) {
    for (const target of targets) {
      stop.throwIfAborted();
      // What the one before has left in memory for the disk would otherwise be written on this one's time.
      spawnSync('sync');
      const figure = await workload.run(target, round);
      figures.get(target.name)?.push(figure);
      print(`  round ${round} ${target.name.padEnd(16)} ${figure.toFixed(2)}\n`);
    }
  }
  report(workload, figures);
}

function report(workload: Workload, figures: Figures): void {
  const [[, ours] = ['', []], ...others] = [...figures];
  const own = median(ours);
  print(`  median aerugo ${own.toFixed(2)} ${workload.unit}\n`);
  for (const [name, values] of others) {
    const ratio = own / median(values);
    const isMet = workload.better === 'more' ? ratio >= workload.goal : ratio <= workload.goal;
    const goal = `goal ${workload.better === 'more' ? 'at least' : 'at most'} ${workload.goal}×`;
    const verdict = name === 'docker-registry' ? ` (${goal}: ${isMet ? 'met' : 'NOT met'})` : '';
    print(`  median ${name} ${median(values).toFixed(2)} ${workload.unit}; aerugo is ${ratio.toFixed(2)}×${verdict}\n`);
  }
}

function print(text: string): void {
  process.stdout.write(text);
}

/** After a signal what was started is stopped and removed first; the same signal again ends this at once. */
const interruption = new AbortController();
for (const signal of SIGNALS) {
  process.once(signal, () => {
    interruption.abort(signal);
  });
}
try {
  await main(interruption.signal);
} catch (error) {
  if (interruption.signal.aborted) {
    process.exitCode = 128 + constants.signals[interruption.signal.reason as (typeof SIGNALS)[number]];
  } else if (error instanceof SetupError) {
    process.stderr.write(`bench: ${error.message}\n`);
    process.exitCode = 1;
  } else throw error;
}
