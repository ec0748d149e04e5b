import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import type { Readable } from 'node:stream';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Call {
  readonly method: string;
  /** A path of the target's, or the absolute URL of a `Location`. */
  readonly url: string;
  readonly headers?: Record<string, string>;
  /** A stream goes out with chunked transfer encoding, as docker sends layers. */
  readonly body?: Buffer | Readable;
  /** Every other status is a failure of the run. */
  readonly expect: readonly number[];
}

/** One client with kept connections: `node:http`, since `fetch` is itself the limit on these workloads. */
export class HttpClient {
  private readonly base: string;
  private readonly authorization: string | null;
  private readonly agent: Agent;

  constructor(base: string, authorization: string | null, connections: number) {
    this.base = base;
    this.authorization = authorization;
    this.agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  call({ method, url, headers = {}, body, expect }: Call): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const own = {
        ...headers,
        ...(this.authorization === null ? {} : { authorization: this.authorization }),
        ...(Buffer.isBuffer(body) ? { 'content-length': String(body.length) } : {}),
        ...(body === undefined && method !== 'GET' && method !== 'HEAD' ? { 'content-length': '0' } : {}),
      };
      const outgoing = request(new URL(url, this.base), { method, agent: this.agent, headers: own }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const status = incoming.statusCode ?? 0;
          const answer = { status, headers: incoming.headers, body: Buffer.concat(chunks) };
          if (expect.includes(status)) resolve(answer);
          else reject(new Error(`${method} ${url}: ${status} ${answer.body.toString('utf8', 0, 300)}`));
        });
      });
      outgoing.on('error', reject);
      if (body === undefined || Buffer.isBuffer(body)) outgoing.end(body);
      else body.on('error', reject).pipe(outgoing);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}
