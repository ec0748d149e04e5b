import { Logger } from '@nestjs/common';
import { KeyvAdapter } from 'cache-manager';
import { redisInsStore } from 'cache-manager-redis-yet';
import { Keyv } from 'keyv';
import { createClient, type RedisClientType } from 'redis';

const CONNECT_TIMEOUT_MS = 2_000;
const MAX_RETRY_DELAY_MS = 2_000;

/**
 * Does not wait for Redis: a registry without its cache is slow, not down. While Redis is away every command fails
 * at once instead of queueing (a queued answer would be as old as the outage), and the client comes back by itself.
 */
export function openRedis(url: string): Keyv {
  const logger = new Logger('Redis');
  const client: RedisClientType = createClient({
    url,
    disableOfflineQueue: true,
    pingInterval: 30_000,
    socket: {
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectStrategy: (attempt) => Math.min(50 * 2 ** attempt, MAX_RETRY_DELAY_MS) * (0.5 + Math.random() / 2),
    },
  });
  let isDown = false;
  client.on('error', (error: Error) => {
    // One line an outage: the client reports every attempt to reconnect.
    if (!isDown) logger.warn(`Redis is not reachable, facts are read from PostgreSQL: ${error.message}`);
    isDown = true;
  });
  client.on('ready', () => {
    if (isDown) logger.log('Redis is reachable again');
    isDown = false;
  });
  void client.connect().catch(() => undefined); // reported by the listener above
  return keyvOver(client);
}

function keyvOver(client: RedisClientType): Keyv {
  // cache-manager's own disconnect() waits for this, and the store has none.
  const store = Object.assign(redisInsStore(client, {}), { disconnect: () => closeClient(client) });
  // A prefix would be ignored by mget; errors must reach the caller, who decides what an outage means.
  const keyv = new Keyv({ store: new KeyvAdapter(store), useKeyPrefix: false, throwOnErrors: true });
  keyv.on('error', () => undefined);
  return keyv;
}

async function closeClient(client: RedisClientType): Promise<void> {
  if (client.isOpen) await client.disconnect();
}
