import type { CacheManagerStore } from 'cache-manager';
import { redisClusterInsStore, redisInsStore } from 'cache-manager-redis-yet';
import { randomUUID } from 'node:crypto';
import {
  createClient,
  createCluster,
  ErrorReply,
  type RedisClientOptions,
  type RedisClientType,
  type RedisClusterType,
} from 'redis';
import type { RedisConfig } from '../config/config-values.js';
import { announcedMaster } from './redis-sentinel.js';
import { clientOptions, type HostAndPort, hostsOf } from './redis-options.js';
import { within } from './within.js';

/** What the first questions on a new connection may take together, also where a server is there and hangs. */
const OPEN_MS = 3_000;
const PING_MS = 2_000;

/** Connections to what holds the facts. When one of them is lost they are of no use any more, and others are made. */
export interface RedisServers {
  readonly store: CacheManagerStore;
  /** For what counts, which is one key a command. */
  readonly commands: CountCommands;
  /** Resolves with what was lost. */
  readonly lost: Promise<Error>;
  masters(): Promise<readonly Master[]>;
  /** Throws when one does not answer, or is no longer the one to ask. */
  check(): Promise<void>;
  close(): void;
}

/** What `RateLimiterRedis` asks of its client. */
export type CountCommands = Pick<RedisClientType, 'eval' | 'multi' | 'del'>;

/** What a master says about its data. */
export interface Master {
  /** Another one: another process, or another history of writes. */
  readonly identity: string;
  /** It has data, and may have missed writes that another process or another master had confirmed in the last seconds. */
  readonly isNew: boolean;
  /** It has taken the place of another one, which may still answer other nodes. */
  readonly wasPromoted: boolean;
}

export const OPEN = { server: openServer, cluster: openCluster, sentinel: openElected } as const;

async function openServer(config: RedisConfig): Promise<RedisServers> {
  const [address] = hostsOf(config);
  if (address === undefined) throw new Error('REDIS_URL is empty');
  return openOne(clientOptions(config), address, () => Promise.resolve());
}

/** The master that the Sentinels announce. They are asked again with every check, since the one before may live on. */
async function openElected(config: RedisConfig): Promise<RedisServers> {
  const address = await announcedMaster(config);
  const isStillMaster = async (): Promise<void> => {
    // Without an answer no other master was elected.
    const { host, port } = await announcedMaster(config).catch(() => address);
    if (host !== address.host || port !== address.port) throw new Error('the Sentinels have another master now');
  };
  return openOne(clientOptions(config), address, isStillMaster);
}

async function openOne(
  { socket, ...options }: RedisClientOptions,
  address: HostAndPort,
  isStillMaster: () => Promise<void>,
): Promise<RedisServers> {
  const client: RedisClientType = createClient({ ...options, socket: { ...socket, ...address } } as object);
  const lost = failureOf(client);
  const close = (): void => {
    if (client.isOpen) void client.disconnect().catch(() => undefined);
  };
  await opened(client.connect(), close);
  return {
    store: redisInsStore(client, {}),
    commands: client,
    lost,
    masters: async () => [await within(PING_MS, describe(client))],
    check: async () => {
      await Promise.all([within(PING_MS, client.ping()), isStillMaster()]);
    },
    close,
  };
}

async function openCluster(config: RedisConfig): Promise<RedisServers> {
  const { socket, ...options } = clientOptions(config);
  const rootNodes = hostsOf(config).map((address) => ({ socket: address }));
  const defaults = { ...options, socket } as object;
  // One that hangs would be waited for, so each attempt begins with one of them.
  const first = Math.floor(Math.random() * rootNodes.length);
  const cluster: RedisClusterType = createCluster({ rootNodes: rootNodes.slice(first, first + 1), defaults });
  const lost = failureOf(cluster);
  const close = (): void => void cluster.disconnect().catch(() => undefined);
  await opened(cluster.connect(), close);
  const layout = cluster.slots;
  const isAsKnown = (): void => {
    if (cluster.slots !== layout) throw new Error('the cluster has other masters now');
  };
  const clients = (): Promise<RedisClientType[]> =>
    Promise.all(cluster.masters.map((node) => cluster.nodeClient(node) as Promise<RedisClientType>));
  const store = redisClusterInsStore(cluster, { rootNodes: [] });
  /** A cluster refuses a command for keys in several places; what is asked for at once travels together all the same. */
  const mget = async (...keys: string[]): Promise<unknown[]> => {
    const values = await Promise.all(keys.map((key) => store.get(key)));
    isAsKnown();
    return values;
  };
  return {
    store: { ...store, mget },
    commands: cluster as unknown as CountCommands, // the same by name, over whichever node has the key
    lost,
    masters: async () =>
      within(
        PING_MS,
        clients().then((all) => Promise.all(all.map(describe))),
      ),
    check: async () => {
      isAsKnown();
      await within(
        PING_MS,
        clients().then((all) => Promise.all(all.map((client) => client.ping()))),
      );
    },
    close,
  };
}

/** Listens from the start: an `error` event without a listener ends the process. */
function failureOf(client: RedisClientType | RedisClusterType): Promise<Error> {
  return new Promise((resolve) => {
    client.on('error', resolve);
  });
}

async function opened(connecting: Promise<unknown>, close: () => void): Promise<void> {
  try {
    await within(OPEN_MS, connecting);
  } catch (error) {
    close();
    connecting.then(close, () => undefined); // a server that hung answers one day
    throw error;
  }
}

/** Longer than a fact lives. Seconds. */
const SETTLED_AFTER_S = 6;

async function describe(client: RedisClientType): Promise<Master> {
  try {
    const [info, size] = await Promise.all([client.info(), client.dbSize()]);
    return masterOf(info, size);
  } catch (error) {
    // Any other refusal (NOAUTH, WRONGPASS, LOADING) holds for every command that follows.
    if (!(error instanceof ErrorReply) || !error.message.startsWith('NOPERM')) throw error;
    return { identity: randomUUID(), isNew: true, wasPromoted: true }; // this user may not ask
  }
}

function masterOf(info: string, size: number): Master {
  const field = (name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
  if (field('role') === 'slave') throw new Error('this Redis is a replica, which takes no writes');
  const wasPromoted = field('second_repl_offset') !== '-1';
  const hasLoadedNothing = field('aof_enabled') === '0' && field('rdb_last_load_keys_loaded') === '0';
  const isYoung = !(Number(field('uptime_in_seconds')) >= SETTLED_AFTER_S);
  return {
    identity: `${field('run_id')} ${field('master_replid')}`,
    // What holds nothing holds nothing old, and all that an empty start holds was written to itself.
    isNew: size > 0 && (wasPromoted || (isYoung && !hasLoadedNothing)),
    wasPromoted,
  };
}
