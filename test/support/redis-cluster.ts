import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  end,
  eventually,
  freePort,
  isListening,
  needProgram,
  onFileEnd,
  scratchDirectory,
  start,
} from './processes.js';
import { type RedisServer, startRedis, withRedis } from './redis.js';

const SLOTS = 16384;
const NODE_TIMEOUT_MS = 1_000;
/** Nodes of a cluster talk to each other on the port that is so much higher. */
const BUS_DISTANCE = 10_000;

export interface RedisCluster {
  readonly masters: readonly RedisServer[];
  /** Of the first master. */
  readonly replica: RedisServer;
  readonly urls: readonly string[];
  /** Which master has the key. */
  masterOf(key: string): Promise<number>;
  /** The first master sends the replica nothing more, until that connects again. */
  cutReplica(): Promise<void>;
  /** The replica becomes a master without asking anybody. */
  takeOver(): Promise<void>;
}

/** Three masters that share the slots, and a replica of the first, which is elected a second or two after its death. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', String(NODE_TIMEOUT_MS)];
  const options = { args: [...args, '--cluster-replica-validity-factor', '0', '--repl-diskless-sync-delay', '0'] };
  const startNode = async () => startRedis({ ...options, port: await freePort(BUS_DISTANCE) });
  const masters = await Promise.all([0, 1, 2].map(startNode));
  const replica = await startNode();
  const [first] = masters as [RedisServer, ...RedisServer[]];
  for (const [at, { port }] of masters.entries()) {
    const range = [at, at + 1].map((third) => Math.floor((SLOTS * third) / masters.length));
    await cluster(port, 'ADDSLOTSRANGE', String(range[0]), String(Number(range[1]) - 1));
    await cluster(port, 'SET-CONFIG-EPOCH', String(at + 1));
  }
  const all = [...masters, replica];
  for (const { port } of all.slice(1)) await cluster(first.port, 'MEET', '127.0.0.1', String(port));
  const knowsAll = async ({ port }: RedisServer): Promise<boolean> => {
    const info = await cluster(port, 'INFO');
    return /cluster_state:ok/.test(info) && /cluster_known_nodes:4/.test(info);
  };
  await eventually('the cluster', async () => (await Promise.all(all.map(knowsAll))).every(Boolean));
  await cluster(replica.port, 'REPLICATE', await cluster(first.port, 'MYID'));
  await inSync(replica);
  return {
    masters,
    replica,
    urls: all.map(({ url }) => url),
    masterOf: async (key) =>
      Math.floor((Number(await cluster((masters[1] as RedisServer).port, 'KEYSLOT', key)) * masters.length) / SLOTS),
    cutReplica: async () => {
      await withRedis(first.port, (client) => client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'replica']));
    },
    takeOver: async () => {
      await cluster(replica.port, 'FAILOVER', 'TAKEOVER');
    },
  };
}

export interface Sentinels {
  readonly master: RedisServer;
  readonly replica: RedisServer;
  /** Addresses of the Sentinels. */
  readonly urls: readonly string[];
}

/** A master with a replica, watched by three Sentinels, who elect the replica a second or two after the master's death. */
export async function startSentinels(): Promise<Sentinels> {
  const master = await startRedis();
  const args = ['--replicaof', '127.0.0.1', String(master.port), '--repl-diskless-sync-delay', '0'];
  const replica = await startRedis({ args });
  await inSync(replica);
  const ports = await Promise.all([0, 1, 2].map(() => startSentinel(master.port)));
  const isReady = async (port: number): Promise<boolean> => {
    const fields = await withRedis(port, (client) => client.sendCommand<string[]>(['SENTINEL', 'MASTER', 'mymaster']));
    const count = (name: string): string | undefined => fields[fields.indexOf(name) + 1];
    return count('num-slaves') === '1' && count('num-other-sentinels') === '2';
  };
  await eventually('the Sentinels', async () => (await Promise.all(ports.map(isReady))).every(Boolean));
  return { master, replica, urls: ports.map((port) => `redis://127.0.0.1:${port}`) };
}

async function startSentinel(masterPort: number): Promise<number> {
  const port = await freePort();
  const file = path.join(scratchDirectory('sentinel'), 'sentinel.conf');
  const settings = [
    `port ${port}`,
    'bind 127.0.0.1',
    `sentinel monitor mymaster 127.0.0.1 ${masterPort} 2`,
    'sentinel down-after-milliseconds mymaster 1000',
    'sentinel failover-timeout mymaster 5000',
  ];
  writeFileSync(file, `${settings.join('\n')}\n`);
  const child = start(needProgram('redis-server'), [file, '--sentinel'], { cwd: path.dirname(file), stdio: 'ignore' });
  onFileEnd(() => end(child));
  await eventually(`a Sentinel with ${readFileSync(file, 'utf8')}`, () => isListening(port));
  return port;
}

function cluster(port: number, ...args: string[]): Promise<string> {
  return withRedis(port, (client) => client.sendCommand<string>(['CLUSTER', ...args]));
}

async function inSync({ port }: RedisServer): Promise<void> {
  await eventually('the replica', async () =>
    /master_link_status:up/.test(await withRedis(port, (client) => client.info('replication'))),
  );
}
