import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpClient } from '../http-client.ts';
import type { OwnTarget } from '../targets.ts';
import type { Operation } from './operations.ts';
import { cpuOfTrees } from './process-cpu.ts';

/** What a registry does after its answers (audit entries, clean-up) belongs to them. */
const SETTLE_MS = 1_000;

/** Milliseconds of CPU an operation. */
export interface Cost {
  readonly own: number;
  readonly other: number;
}

interface Side {
  readonly target: OwnTarget;
  readonly client: HttpClient;
  readonly repeat: (client: HttpClient) => Promise<unknown>;
}

/**
 * The CPU of one operation on two registries that run at the same time. Each connection asks the one and the other by
 * turns, so that whatever else happens on the machine meets both alike. Counted is all that the processes of each have
 * used meanwhile, and a second longer.
 */
export async function compare(
  operation: Operation,
  pair: readonly [OwnTarget, OwnTarget],
  stop: AbortSignal,
): Promise<Cost> {
  const sides = [await prepare(operation, pair[0]), await prepare(operation, pair[1])] as const;
  // V8 compiles what is called often; until then an operation costs several times as much.
  await byTurns(operation, operation.count, sides, stop);
  await sleep(SETTLE_MS);
  const before = used(sides);
  await byTurns(operation, operation.count, sides, stop);
  await sleep(SETTLE_MS);
  const after = used(sides);
  for (const { client } of sides) client.close();
  const milliseconds = 1000 / operation.count;
  return { own: (after.own - before.own) * milliseconds, other: (after.other - before.other) * milliseconds };
}

async function prepare(operation: Operation, target: OwnTarget): Promise<Side> {
  const client = await target.client(operation.connections);
  return { target, client, repeat: await operation.prepare(client, target.repository) };
}

async function byTurns(
  { connections }: Operation,
  count: number,
  [own, other]: readonly [Side, Side],
  stop: AbortSignal,
): Promise<void> {
  let begun = 0;
  const work = async () => {
    while (begun < count) {
      const order = begun++ % 2 === 0 ? [own, other] : [other, own];
      stop.throwIfAborted();
      for (const { client, repeat } of order) await repeat(client);
    }
  };
  await Promise.all(Array.from({ length: connections }, work));
}

/** Seconds since the start of each. */
function used([own, other]: readonly [Side, Side]): Cost {
  return { own: cpuOfTrees(own.target.processes()), other: cpuOfTrees(other.target.processes()) };
}
