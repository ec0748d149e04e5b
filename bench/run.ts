import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { largeBlobOnDisk, largeBlobPush } from './large-blob-push.ts';
import { manifestGet } from './manifest-get.ts';
import { smallImages } from './small-images.ts';
import { peer, startAerugo, startDockerRegistry, type Target } from './targets.ts';
import type { Workload } from './workload.ts';

const WORKLOADS = { manifests: manifestGet, large: largeBlobPush, durable: largeBlobOnDisk, small: smallImages };

const HELP = `npm run bench -- [--rounds 5] [--only ${Object.keys(WORKLOADS).join('|')}] [--peer name=url]…

This registry (embedded PostgreSQL, filesystem, authentication on) beside Debian's docker-registry (filesystem, no
authentication) and any other registry whose URL is given, in turn, medians printed as ratios. Needs wrk and
docker-registry: apt-get install wrk docker-registry
`;

type Figures = Map<string, number[]>;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      only: { type: 'string', multiple: true, default: [] },
      peer: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    print(HELP);
    return;
  }
  const chosen = Object.entries(WORKLOADS).filter(([key]) => values.only.length === 0 || values.only.includes(key));
  const targets: Target[] = [];
  try {
    targets.push(await startAerugo(), await startDockerRegistry());
    for (const given of values.peer) {
      const [name = '', ...url] = given.split('=');
      targets.push(peer(name, url.join('=')));
    }
    for (const [, workload] of chosen) await measure(workload, targets, Number(values.rounds));
  } finally {
    for (const target of targets) await target.stop();
  }
}

/** Rounds go around the targets, so that a noisy minute of the machine meets them all. */
async function measure(workload: Workload, targets: readonly Target[], rounds: number): Promise<void> {
  print(`\n${workload.name} (${workload.unit}, ${rounds} rounds)\n`);
  const figures: Figures = new Map(targets.map(({ name }) => [name, []]));
  for (const target of targets) await workload.prepare?.(target);
  for (let round = 1; round <= rounds; round++) {
    for (const target of targets) {
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

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = NaN, high = NaN] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]];
  return (low + high) / 2;
}

function print(text: string): void {
  process.stdout.write(text);
}

await main();
