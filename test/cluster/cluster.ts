import { databaseOn, type OwnPostgres, startPostgres, type TestDatabase } from '../support/postgres.js';
import { freePort } from '../support/processes.js';
import { type RedisServer, startRedis } from '../support/redis.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { type S3Bucket, startS3 } from '../support/s3.js';
import { balance } from './nginx.js';

export interface ClusterOptions {
  readonly nodes?: number;
  readonly env?: Record<string, string>;
  /** A way to the store that the nodes take instead of the store's own address. */
  readonly storeThrough?: (endpoint: string) => Promise<string>;
  /** Stands before the nodes; resolves with the URL. */
  readonly balancer?: (ports: readonly number[]) => Promise<string>;
}

/** Nodes of the built registry behind a load balancer, over one PostgreSQL, one Redis and one S3 server of their own. */
export class Cluster {
  private constructor(
    readonly postgres: OwnPostgres,
    readonly database: TestDatabase,
    readonly bucket: S3Bucket,
    readonly nodes: Registry[],
    readonly url: string,
    private redis: RedisServer,
  ) {}

  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const { nodes: count = 3, env = {}, storeThrough, balancer = balance } = options;
    const postgres = await startPostgres();
    const database = await databaseOn(postgres);
    const redis = await startRedis();
    const bucket = await startS3();
    if (storeThrough) bucket.env['S3_ENDPOINT'] = await storeThrough(bucket.endpoint);
    const ports: number[] = [];
    for (let at = 0; at < count; at++) ports.push(await freePort());
    const nodes: Registry[] = [];
    for (const port of ports) {
      const own = { LISTEN_ADDRESS: `127.0.0.1:${port}` };
      const [first] = nodes;
      const settings = { UPLOAD_EXPIRY_SECONDS: '60', TRUSTED_PROXIES: 'loopback', ...env, ...own };
      nodes.push(
        first
          ? await startRegistry({ like: first, env: own })
          : await startRegistry({ database, redis: redis.url, store: bucket, env: settings }),
      );
    }
    return new Cluster(postgres, database, bucket, nodes, await balancer(ports), redis);
  }

  get credentials(): { username: string; password: string } {
    const { username, password } = this.node(0);
    return { username, password };
  }

  node(at: number): Registry {
    const node = this.nodes[at];
    if (node === undefined) throw new Error(`the cluster has no node ${at}`);
    return node;
  }

  /** `kill -9`, and the same node started again on its port. */
  async killNode(at: number): Promise<void> {
    const node = this.node(at);
    await node.kill();
    node.client.close();
    const { port } = new URL(node.url);
    this.nodes[at] = await startRegistry({ like: node, env: { LISTEN_ADDRESS: `127.0.0.1:${port}` } });
  }

  /** SIGTERM and the end of the drain, and another build (default: that of the checkout) on the same port. */
  async updateNode(at: number, build?: string): Promise<void> {
    const node = this.node(at);
    await node.stop();
    node.client.close();
    const { port } = new URL(node.url);
    const env = { LISTEN_ADDRESS: `127.0.0.1:${port}` };
    this.nodes[at] = await startRegistry({ like: node, env, ...(build === undefined ? {} : { build }) });
  }

  stopRedis(): Promise<void> {
    return this.redis.stop();
  }

  /** Empty, as Redis is after a restart without persistence. */
  async startRedisAgain(): Promise<void> {
    this.redis = await startRedis({ port: this.redis.port });
  }

  /** The S3 server accepts connections and answers nothing. */
  freezeStore(): void {
    process.kill(this.bucket.pid, 'SIGSTOP');
  }

  thawStore(): void {
    process.kill(this.bucket.pid, 'SIGCONT');
  }
}
