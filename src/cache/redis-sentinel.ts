import { createClient, type RedisClientOptions, type RedisClientType } from 'redis';
import type { RedisConfig } from '../config/config-values.js';
import { type HostAndPort, hostsOf, sentinelOptions } from './redis-options.js';
import { within } from './within.js';

const ANSWER_MS = 1_000;

/**
 * Where the Sentinels say that the master is. All are asked, and who knows of the latest election is right: one that was
 * cut off goes on naming the master before. Throws when none of them knows.
 */
export async function announcedMaster(config: RedisConfig): Promise<HostAndPort> {
  const { master } = config.sentinel;
  const options = sentinelOptions(config);
  const asked = await Promise.allSettled(hostsOf(config).map((address) => ask({ ...options }, address, master)));
  const answers = asked.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  const [latest] = answers.sort((one, other) => other.epoch - one.epoch);
  if (latest) return latest.address;
  const [first] = asked.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as Error] : []));
  throw new Error(`no Sentinel says where the master ${master} is: ${first?.message ?? ''}`, { cause: first });
}

interface Announcement {
  readonly epoch: number;
  readonly address: HostAndPort;
}

async function ask(options: RedisClientOptions, address: HostAndPort, master: string): Promise<Announcement> {
  const socket = { ...options.socket, ...address };
  const client: RedisClientType = createClient({ ...options, socket } as object);
  client.on('error', () => undefined); // the promises below have it too
  try {
    const answer = client.connect().then(() => client.sendCommand<string[]>(['SENTINEL', 'MASTER', master]));
    return announcement(await within(ANSWER_MS, answer));
  } finally {
    if (client.isOpen) void client.disconnect().catch(() => undefined);
  }
}

/** Names and values in turn. */
function announcement(fields: readonly string[]): Announcement {
  const field = (name: string): string => fields[fields.indexOf(name) + 1] ?? '';
  return { epoch: Number(field('config-epoch')), address: { host: field('ip'), port: Number(field('port')) } };
}
