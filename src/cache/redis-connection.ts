import { type CacheManagerStore, KeyvAdapter } from 'cache-manager';
import { Keyv } from 'keyv';
import type { RedisConfig } from '../config/config-values.js';
import { RedisLink } from './redis-link.js';
import { clientOptions } from './redis-options.js';
import { OPEN } from './redis-servers.js';

/** The store of the shared cache, which comes and goes with Redis. Throws `StartupError` for a file that is not there. */
export function openRedis(config: RedisConfig): Keyv {
  return keyvOver(linkRedis(config));
}

/** The way to it by itself. Throws as `openRedis` does. */
export function linkRedis(config: RedisConfig): RedisLink {
  const { socket } = clientOptions(config);
  const isTls = socket !== undefined && 'tls' in socket;
  // A server that misses a certificate may just close the connection.
  const advice = isTls ? ' (with TLS, see REDIS_CA_FILE, REDIS_CERT_FILE and REDIS_KEY_FILE)' : '';
  return new RedisLink(() => OPEN[config.mode](config), advice);
}

export function keyvOver(link: RedisLink): Keyv {
  const store = storeOver(link);
  // A prefix would be ignored by mget; errors must reach the caller, who decides what an outage means.
  const keyv = new Keyv({ store: new KeyvAdapter(store), useKeyPrefix: false, throwOnErrors: true });
  keyv.on('error', () => undefined);
  return keyv;
}

function storeOver(link: RedisLink): CacheManagerStore {
  return {
    name: 'redis',
    get: async (key) => (await link.store.get(key)) as unknown,
    mget: (...keys) => link.mget(keys),
    set: (key, value, ttl) => link.set(key, value, ttl),
    mset: async (entries, ttl) => link.store.mset(entries, ttl),
    del: async (key) => link.store.del(key),
    mdel: async (...keys) => link.store.mdel(...keys),
    ttl: async (key) => link.store.ttl(key),
    keys: async () => link.store.keys(),
    // cache-manager's own disconnect() waits for this.
    disconnect: () => {
      link.close();
      return Promise.resolve();
    },
  };
}
