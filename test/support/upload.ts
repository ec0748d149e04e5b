import { Exchange, type Body, type Headers, Reply } from './http-exchange.js';
import type { RegistryClient } from './registry-client.js';

export interface ChunkOptions {
  headers?: Headers;
  timeoutMs?: number;
}

/** An upload session of one client; `location` follows what the registry answers. */
export class Upload {
  location: string;

  constructor(
    private readonly client: RegistryClient,
    readonly repository: string,
    from: Reply | string,
  ) {
    this.location = from instanceof Reply ? from.need('location') : from;
  }

  /** The path to ask, whether the Location was relative or absolute. */
  get path(): string {
    if (this.location.startsWith('/')) return this.location;
    const { pathname, search } = new URL(this.location);
    return pathname + search;
  }

  get id(): string {
    return this.path.split('?')[0]?.split('/').at(-1) ?? '';
  }

  /** With a range as `'0-4'` a chunk; with `null` the stream that docker sends: no length unless the body has one. */
  patch(range: string | null, body: Body, options: ChunkOptions = {}): Exchange {
    const headers: Headers = { 'content-type': 'application/octet-stream' };
    if (range !== null) headers['content-range'] = range;
    return this.follow(
      this.client.request('PATCH', this.path, { ...options, headers: { ...headers, ...options.headers }, body }),
    );
  }

  /** Closes the upload; with a body that is the last chunk, or the whole blob. */
  put(digest: string, body?: Body, options: ChunkOptions & { range?: string } = {}): Exchange {
    const { range, ...rest } = options;
    const headers: Headers = {};
    if (body !== undefined) headers['content-type'] = 'application/octet-stream';
    if (range !== undefined) headers['content-range'] = range;
    const path = `${this.path}${this.path.includes('?') ? '&' : '?'}digest=${digest}`;
    const sent = { ...rest, headers: { ...headers, ...options.headers }, ...(body === undefined ? {} : { body }) };
    return this.client.request('PUT', path, sent);
  }

  /** `GET` on the session: 204 with the `Range` so far. */
  status(): Exchange {
    return this.follow(this.client.request('GET', this.path));
  }

  cancel(): Exchange {
    return this.client.request('DELETE', this.path);
  }

  private follow(exchange: Exchange): Exchange {
    return new Exchange(
      exchange.then((reply) => {
        if (reply.status < 300) this.location = reply.header('location') ?? this.location;
        return reply;
      }),
    );
  }
}
