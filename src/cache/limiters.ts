import cluster from 'node:cluster';
import {
  RateLimiterCluster,
  RateLimiterMemory,
  RateLimiterRedis,
  type RateLimiterAbstract,
  type RateLimiterRes,
  RLWrapperTimeouts,
} from 'rate-limiter-flexible';
import type { CountCommands } from './redis-servers.js';

/**
 * A count that takes longer than this is made here alone, since Redis hangs. Much longer than it takes under load: what
 * is counted in two places is a guess more. Milliseconds.
 */
const TIMEOUT_MS = 2_000;

/** Redis as it is now. Throws while it is away. */
export type CountClient = () => CountCommands;

export interface Limit {
  /** Of what; each limit has its own. */
  readonly name: string;
  /** How many in a window. */
  readonly points: number;
  /** A window begins with the first of it. */
  readonly windowSeconds: number;
}

/** Counts of this node alone: in this process, or in the primary for all of its workers. */
export type NodeLimiter = RateLimiterMemory | RateLimiterCluster;

export interface OpenLimiter {
  /** Exact over all nodes as long as Redis answers; over this node otherwise. */
  readonly all: RateLimiterAbstract;
  /** Where counts are that no store lets go by itself when there are too many. */
  readonly own: NodeLimiter;
}

/** What others of the registry have counted together with this process. */
export interface SharedCount {
  readonly points: number;
  /** Until it counts anew. */
  readonly milliseconds: number;
}

/** Adds to a count that several processes share. Throws when it cannot be told to the others now. */
export type AddToCount = (key: string, points: number) => Promise<SharedCount>;

/** Where attempts and requests are counted: Redis for all nodes, the primary for workers without Redis, else here. */
export class Limiters {
  constructor(private readonly redis: CountClient | null) {}

  /** Each count is one request to Redis or the primary. */
  open(limit: Limit): OpenLimiter {
    const own = openOwn(limit);
    if (this.redis === null) return { all: own, own };
    const shared = new RLWrapperTimeouts({ limiter: this.openRedis(limit, this.redis), timeoutMs: TIMEOUT_MS });
    // A setter that its types do not name: who counts when Redis does not.
    return { all: Object.assign(shared, { insuranceLimiter: own }), own };
  }

  /** For those who count here and tell the others later; `null` where there are no others. */
  openShared(limit: Limit): AddToCount | null {
    const limiter = this.openTold(limit);
    if (limiter === null) return null;
    return async (key, points) => {
      const result: RateLimiterRes = await limiter.penalty(key, points);
      return { points: result.consumedPoints, milliseconds: result.msBeforeNext };
    };
  }

  private openTold(limit: Limit): RateLimiterAbstract | null {
    if (this.redis !== null)
      return new RLWrapperTimeouts({ limiter: this.openRedis(limit, this.redis), timeoutMs: TIMEOUT_MS });
    return cluster.isWorker ? openOwn(limit) : null;
  }

  private openRedis(limit: Limit, client: CountClient): RateLimiterRedis {
    // Connections come and go, and the limiter stays. Asynchronous, so that one that is away is a rejection.
    const storeClient = {
      eval: async (...args: Parameters<CountCommands['eval']>) => client().eval(...args),
      multi: () => client().multi(),
      del: async (key: string) => client().del(key),
    };
    return new RateLimiterRedis({ ...optionsOf(limit), storeClient, useRedisPackage: true });
  }
}

/** A worker asks the primary: otherwise a client with a connection to each would have several times the points. */
function openOwn(limit: Limit): NodeLimiter {
  return cluster.isWorker ? new RateLimiterCluster(optionsOf(limit)) : new RateLimiterMemory(optionsOf(limit));
}

function optionsOf({ name, points, windowSeconds }: Limit): { keyPrefix: string; points: number; duration: number } {
  return { keyPrefix: `aerugo:limit:${name}`, points, duration: windowSeconds };
}
