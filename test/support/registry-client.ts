import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { Writable, type Readable } from 'node:stream';
import {
  type Algorithm,
  type Descriptor,
  IMAGE_CONFIG,
  IMAGE_LAYER,
  IMAGE_MANIFEST,
  describeBytes,
  digestOf,
  toBytes,
  uniqueConfig,
} from './content.js';
import { type Body, Exchange, type Headers, type Outgoing, type Reply, open, send } from './http-exchange.js';
import { TokenSource } from './token-source.js';
import { Upload } from './upload.js';

export interface ClientOptions {
  url: string;
  username?: string | undefined;
  password?: string | undefined;
  /**
   * `token` (default): as docker does, by the challenge's realm; anonymous when there is no user name.
   * `basic`: Basic on every request, as podman may. `none`: no Authorization header at all.
   */
  auth?: 'token' | 'basic' | 'none';
  /** Authorities in PEM that a registry with TLS is believed by. */
  ca?: string | undefined;
}

export interface RequestOptions {
  headers?: Headers;
  body?: Body;
  timeoutMs?: number;
  sink?: NodeJS.WritableStream;
}

export interface PushedImage {
  digest: string;
  bytes: Buffer;
  config: Descriptor;
  layers: Descriptor[];
}

/**
 * A registry client for tests, over `node:http` with a keep-alive agent. It checks nothing by itself: every method
 * gives an `Exchange`, whose `.expect(status, { code, range, digest, headers })` throws with the whole answer.
 *
 *   const client = new RegistryClient({ url, username: 'admin', password });
 *   const digest = await client.pushBlob('admin/app', bytes);
 *   await client.headBlob('admin/app', digest).expect(200, { digest });
 *   const upload = await client.startUpload('admin/app');
 *   await upload.patch('0-4', 'hello').expect(202, { range: '0-4' });
 *   await upload.patch('9-9', 'x').expect(416, { code: 'BLOB_UPLOAD_INVALID', range: '0-4' });
 *   await client.anonymous().getManifest('admin/app', 'latest').expect(401, { code: 'UNAUTHORIZED' });
 *   await client.raw('GET', '/v2/%2e%2e/x/manifests/latest').expect(404);   // sent as written, with no Authorization
 *   client.close();
 */
export class RegistryClient {
  readonly base: URL;
  readonly agent: http.Agent;
  private readonly tokens: TokenSource;

  constructor(readonly options: ClientOptions) {
    const { url, ca } = options;
    this.base = new URL(url);
    this.agent = ca === undefined ? new http.Agent({ keepAlive: true }) : new https.Agent({ keepAlive: true, ca });
    this.tokens = new TokenSource(options, (outgoing) => send(this.base, this.agent, outgoing));
  }

  /** The same registry as somebody else. */
  as(username: string, password: string, auth: ClientOptions['auth'] = 'token'): RegistryClient {
    return new RegistryClient({ ...this.options, username, password, auth });
  }

  anonymous(): RegistryClient {
    return new RegistryClient({ url: this.options.url, ca: this.options.ca });
  }

  close(): void {
    this.agent.destroy();
  }

  // --- requests ---

  /** Exactly this request: the path as written, only these headers, no Authorization. */
  raw(method: string, path: string, options: RequestOptions = {}): Exchange {
    return new Exchange(send(this.base, this.agent, { method, path, ...options }));
  }

  /** The request with this client's authorization; below `/v2/<name>/…` the token is for that repository. */
  request(method: string, path: string, options: RequestOptions = {}, scopes = scopesOf(path)): Exchange {
    return new Exchange(
      this.authorized({ method, path, ...options }, scopes).then((outgoing) => send(this.base, this.agent, outgoing)),
    );
  }

  /** As `request`, but the caller writes the body and reads the answer: for bodies that stall, break or come too long. */
  async open(method: string, path: string, headers: Headers = {}): Promise<http.ClientRequest> {
    return open(this.base, this.agent, await this.authorized({ method, path, headers }, scopesOf(path)));
  }

  /** A management request: JSON in, JSON out, with a token from the JSON login. */
  api(method: string, path: string, json?: unknown, headers: Headers = {}): Exchange {
    const body = json === undefined ? {} : { body: JSON.stringify(json) };
    const type: Headers = json === undefined ? {} : { 'content-type': 'application/json' };
    const sent = this.tokens
      .login()
      .then((authorization) =>
        send(this.base, this.agent, { method, path, ...body, headers: { ...type, ...authorization, ...headers } }),
      );
    return new Exchange(sent);
  }

  /** A bearer token for these scopes, from the endpoint that the challenge of `/v2/` names. */
  token(...scopes: string[]): Promise<string> {
    return this.tokens.bearer(scopes);
  }

  // --- blobs ---

  /** `POST …/blobs/uploads/`, expected to answer 202. `query` is for `digest-algorithm=…` and the like. */
  async startUpload(name: string, query = ''): Promise<Upload> {
    const reply = await this.request('POST', `/v2/${name}/blobs/uploads/${query && `?${query}`}`).expect(202);
    return new Upload(this, name, reply);
  }

  /** The upload at a Location that a test already has, or made up. */
  uploadAt(name: string, location: string): Upload {
    return new Upload(this, name, location);
  }

  /** POST, then PUT with the whole body. Gives the digest. */
  async pushBlob(name: string, bytes: string | Buffer, algorithm: Algorithm = 'sha256'): Promise<string> {
    const digest = digestOf(bytes, algorithm);
    const upload = await this.startUpload(name);
    await upload.put(digest, bytes).expect(201, { digest });
    return digest;
  }

  /** One `POST …?digest=` with the whole body. */
  postBlob(name: string, bytes: string | Buffer, digest = digestOf(bytes)): Exchange {
    const headers = { 'content-type': 'application/octet-stream' };
    return this.request('POST', `/v2/${name}/blobs/uploads/?digest=${digest}`, { headers, body: bytes });
  }

  /** As docker does: POST, one chunked PATCH without length or range, an empty PUT. */
  async pushStream(name: string, body: Readable, digest: string, timeoutMs = 600_000): Promise<Reply> {
    const upload = await this.startUpload(name);
    await upload.patch(null, body, { timeoutMs }).expect(202);
    return upload.put(digest, undefined, { timeoutMs }).expect(201, { digest });
  }

  mount(name: string, digest: string, from?: string): Exchange {
    const query = `mount=${digest}${from === undefined ? '' : `&from=${from}`}`;
    const path = `/v2/${name}/blobs/uploads/?${query}`;
    return this.request('POST', path, {}, [...scopesOf(path), ...(from ? [`repository:${from}:pull`] : [])]);
  }

  headBlob(name: string, digest: string, headers: Headers = {}): Exchange {
    return this.request('HEAD', `/v2/${name}/blobs/${digest}`, { headers });
  }

  /** The registry's own answer: a 307 stays a 307. */
  getBlob(name: string, digest: string, headers: Headers = {}): Exchange {
    return this.request('GET', `/v2/${name}/blobs/${digest}`, { headers });
  }

  /** The blob's bytes, following a redirect without Authorization, as clients do. */
  async pullBlob(name: string, digest: string, headers: Headers = {}): Promise<Buffer> {
    const reply = await this.getBlob(name, digest, headers).expect([200, 206, 307]);
    if (reply.status !== 307) return reply.body;
    const away = new URL(reply.need('location'));
    const fetched = await send(away, this.agent, { method: 'GET', path: away.pathname + away.search, headers });
    return fetched.expect([200, 206]).body;
  }

  /** Pulls without holding the bytes, following a redirect; gives the digest and size of what came. */
  async measureBlob(name: string, digest: string, timeoutMs = 600_000): Promise<{ digest: string; size: number }> {
    const algorithm = digest.split(':')[0] ?? 'sha256';
    const hash = createHash(algorithm);
    let size = 0;
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        size += chunk.length;
        done();
      },
    });
    const reply = await this.request('GET', `/v2/${name}/blobs/${digest}`, { sink, timeoutMs }).expect([200, 307]);
    if (reply.status === 307) {
      const away = new URL(reply.need('location'));
      const path = away.pathname + away.search;
      (await send(away, this.agent, { method: 'GET', path, sink, timeoutMs })).expect(200);
    }
    return { digest: `${algorithm}:${hash.digest('hex')}`, size };
  }

  deleteBlob(name: string, digest: string): Exchange {
    return this.request('DELETE', `/v2/${name}/blobs/${digest}`);
  }

  // --- manifests ---

  /** The media type is the manifest's own `mediaType` unless given. `query` is for `tag=a&tag=b`. */
  putManifest(
    name: string,
    reference: string,
    manifest: object | string | Buffer,
    options: { mediaType?: string; headers?: Headers; query?: string } = {},
  ): Exchange {
    const own = typeof manifest === 'object' && 'mediaType' in manifest ? String(manifest.mediaType) : IMAGE_MANIFEST;
    const headers = { 'content-type': options.mediaType ?? own, ...options.headers };
    const path = `/v2/${name}/manifests/${reference}${options.query ? `?${options.query}` : ''}`;
    return this.request('PUT', path, { headers, body: toBytes(manifest) });
  }

  getManifest(name: string, reference: string, headers: Headers = {}): Exchange {
    return this.request('GET', `/v2/${name}/manifests/${reference}`, { headers });
  }

  headManifest(name: string, reference: string, headers: Headers = {}): Exchange {
    return this.request('HEAD', `/v2/${name}/manifests/${reference}`, { headers });
  }

  deleteManifest(name: string, reference: string): Exchange {
    return this.request('DELETE', `/v2/${name}/manifests/${reference}`);
  }

  /** A small image that is unlike every other: config and layers pushed, manifest put under each reference. */
  async pushImage(
    name: string,
    reference: string,
    { layers = [randomBytes(64)], extra = {} }: { layers?: Buffer[]; extra?: object } = {},
  ): Promise<PushedImage> {
    const config = uniqueConfig();
    for (const blob of [config, ...layers]) await this.pushBlob(name, blob);
    const described = {
      config: describeBytes(IMAGE_CONFIG, config),
      layers: layers.map((layer) => describeBytes(IMAGE_LAYER, layer)),
    };
    const bytes = toBytes({ schemaVersion: 2, mediaType: IMAGE_MANIFEST, ...described, ...extra });
    const digest = digestOf(bytes);
    await this.putManifest(name, reference, bytes).expect(201, { digest });
    return { digest, bytes, ...described };
  }

  // --- lists ---

  listTags(name: string, query = ''): Exchange {
    return this.request('GET', `/v2/${name}/tags/list${query && `?${query}`}`);
  }

  referrers(name: string, digest: string, query = ''): Exchange {
    return this.request('GET', `/v2/${name}/referrers/${digest}${query && `?${query}`}`);
  }

  catalog(query = ''): Exchange {
    return this.request('GET', `/v2/_catalog${query && `?${query}`}`, {}, ['registry:catalog:*']);
  }

  private async authorized(outgoing: Outgoing, scopes: string[]): Promise<Outgoing> {
    const own = Object.keys(outgoing.headers ?? {}).some((name) => name.toLowerCase() === 'authorization');
    if (own) return outgoing;
    return { ...outgoing, headers: { ...(await this.tokens.header(scopes)), ...outgoing.headers } };
  }
}

/** The scope a client asks for to do anything at this path. */
function scopesOf(path: string): string[] {
  if (path.startsWith('/v2/_catalog')) return ['registry:catalog:*'];
  const [, name] = /^\/v2\/(.+)\/(?:blobs|manifests|tags|referrers)\//.exec(path.split('?')[0] ?? '') ?? [];
  return name === undefined ? [] : [`repository:${name}:pull,push,delete`];
}
