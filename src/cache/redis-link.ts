import { Logger } from '@nestjs/common';
import type { CacheManagerStore } from 'cache-manager';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CountCommands, RedisServers } from './redis-servers.js';

/** As long as a fact may live, so that no replaced one is left. */
export const SETTLING_MS = 5_000;
/** Between two lines of the log about writes that are refused. */
const QUIET_MS = 60_000;
const CHECK_EVERY_MS = 1_000;
const MAX_RETRY_DELAY_MS = 1_000;

/** How Redis begins its answer to a write that it does not take, and what to do about each. */
const REFUSALS: Readonly<Record<string, string>> = {
  OOM: 'raise its maxmemory, or set maxmemory-policy to volatile-ttl',
  READONLY: 'it is a replica: name the master in REDIS_URL',
  MISCONF: 'it cannot save to its disk: make room there',
  NOREPLICAS: 'it misses replicas that min-replicas-to-write asks for',
  NOPERM: 'the user of REDIS_URL may not write: give it the right',
};
const REFUSAL = new RegExp(`^(${Object.keys(REFUSALS).join('|')})\\b`);

/**
 * The way to Redis as it is now. Does not wait for it: a registry without its cache is slow, not down. While Redis is
 * away every command fails at once.
 *
 * A server that takes another's place may have missed writes that the other had confirmed: a failover, or an old copy
 * from the disk. What it holds may then be older than what was acknowledged, until the last such fact has expired. So for that
 * long nothing is read from it. The same server with the same history is trusted at once, and so is one without data.
 */
export class RedisLink {
  private readonly logger = new Logger('Redis');
  private servers: RedisServers | null = null;
  private settledAt = 0;
  private mayHaveRival = false;
  private identity = '';
  private isClosed = false;
  private hasFailed = false;
  /** Redis's word for why it takes no writes. */
  private refusal: string | null = null;
  private isRefusalTold = false;
  private quietUntil = -Infinity;

  constructor(
    private readonly open: () => Promise<RedisServers>,
    /** Where to look when there never was a connection. */
    private readonly advice: string,
  ) {
    void this.keep();
  }

  get store(): CacheManagerStore {
    if (this.servers === null) throw new Error('Redis is not reachable');
    return this.servers.store;
  }

  /** Counts are no facts: they may be older than what was acknowledged; at worst a client gets the limit twice. */
  get commands(): CountCommands {
    if (this.servers === null) throw new Error('Redis is not reachable');
    return this.servers.commands;
  }

  /** Throws while an answer may be too old. */
  async mget(keys: string[]): Promise<unknown[]> {
    if (this.isSettling) throw new Error('Redis may have lost its latest writes');
    return this.store.mget(...keys);
  }

  /** Throws, after it is written, while others may still read from another server. */
  async set(key: string, value: unknown, ttl?: number): Promise<void> {
    try {
      await this.store.set(key, value, ttl);
    } catch (error) {
      this.refused(error as Error);
      throw error;
    }
    if (this.refusal !== null) this.taken();
    if (this.mayHaveRival && this.isSettling) throw new Error('Redis has just changed its master');
  }

  close(): void {
    this.isClosed = true;
    this.servers?.close();
  }

  private get isSettling(): boolean {
    return performance.now() < this.settledAt;
  }

  private async keep(): Promise<void> {
    for (let attempt = 0; !this.isClosed; attempt++) {
      try {
        const servers = await this.open();
        try {
          await this.adopt(servers);
          attempt = 0;
          throw await this.failureOf(servers);
        } finally {
          this.servers = null;
          servers.close();
        }
      } catch (error) {
        this.report(error as Error);
      }
      await sleep(Math.min(50 * 2 ** attempt, MAX_RETRY_DELAY_MS) * (0.5 + Math.random() / 2), null, { ref: false });
    }
  }

  private async adopt(servers: RedisServers): Promise<void> {
    const masters = await servers.masters();
    await servers.check(); // a server that refuses every command is not reachable, although it takes connections
    const identity = masters
      .map((master) => master.identity)
      .sort()
      .join();
    const isTrusted = identity === this.identity || masters.every(({ isNew }) => !isNew);
    if (!isTrusted) this.settledAt = performance.now() + SETTLING_MS;
    this.mayHaveRival = masters.some(({ wasPromoted }) => wasPromoted);
    this.identity = identity;
    this.servers = servers;
    if (this.isClosed) servers.close();
    if (this.hasFailed) this.logger.log('Redis is reachable again');
    this.hasFailed = false;
  }

  /** Resolves once these are no longer to be used. */
  private async failureOf(servers: RedisServers): Promise<Error> {
    const { promise, resolve } = Promise.withResolvers<Error>();
    void servers.lost.then(resolve);
    const timer = setInterval(() => {
      servers.check().catch(resolve);
    }, CHECK_EVERY_MS).unref();
    return promise.finally(() => {
      clearInterval(timer);
    });
  }

  /**
   * Reads may go on, so nothing else would tell. One line as long as it lasts, and one a minute where some writes are
   * taken and others are not, as of a cluster with one server that is full.
   */
  private refused({ message }: Error): void {
    const [, word = null] = REFUSAL.exec(message) ?? [];
    if (word === null || word === this.refusal) return;
    this.refusal = word;
    const now = performance.now();
    if (now < this.quietUntil) return;
    this.quietUntil = now + QUIET_MS;
    this.isRefusalTold = true;
    this.logger.warn(
      `Redis takes no writes (${message}): ${REFUSALS[word] ?? ''}; each write waits ${SETTLING_MS / 1000} s`,
    );
  }

  private taken(): void {
    this.refusal = null;
    if (this.isRefusalTold) this.logger.log('Redis takes writes again');
    this.isRefusalTold = false;
  }

  /** One line an outage: each attempt fails anew. */
  private report(error: Error): void {
    if (this.isClosed || this.hasFailed) return;
    this.hasFailed = true;
    const advice = this.identity === '' ? this.advice : '';
    const reason = error.message.trim(); // OpenSSL's end their line
    this.logger.warn(
      `Redis is not reachable, facts are read from PostgreSQL, and each node counts for itself: ${reason}${advice}`,
    );
  }
}
