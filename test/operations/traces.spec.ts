import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { aerugo, CLI } from '../cli/cli.js';
import { writeImage } from '../clients/oci-layout.js';
import { LEAVING } from '../../src/operations/tracing/clean-exporter.js';
import {
  describeBytes,
  digestOf,
  IMAGE_CONFIG,
  IMAGE_LAYER,
  IMAGE_MANIFEST,
  uniqueConfig,
} from '../support/content.js';
import { Readable } from 'node:stream';
import { eventually, freePort, scratchDirectory } from '../support/processes.js';
import { startRedis } from '../support/redis.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { CLIENT, Collector, SERVER, type Span } from '../support/collector.js';

jest.setTimeout(120_000);

const REPOSITORY = 'admin/traced';
/** More than S3 takes as one part. */
const LARGE = 20 * 2 ** 20;

let collector: Collector;
let nodes: [Registry, Registry];

beforeAll(async () => {
  collector = await Collector.start();
  const redis = await startRedis();
  const env = { ...collector.env, OTEL_SERVICE_NAME: 'registry', OTEL_RESOURCE_ATTRIBUTES: 'deployment.name=test' };
  const first = await startRegistry({ store: 's3', redis: redis.url, env });
  nodes = [first, await startRegistry({ like: first, program: [CLI, 'serve'] })]; // as the container image does
}, 120_000);

interface Sent {
  readonly headers: Record<string, string>;
  readonly body?: Buffer | Readable;
}

/** The requests of one push, by turns to one node and the other. Gives the upload's id. */
async function push(headers: Record<string, string>, large = Buffer.alloc(LARGE, 'x')): Promise<string> {
  let turn = 0;
  const ask = (method: string, target: string, status: number, sent: Partial<Sent> = {}) =>
    (nodes[turn++ % 2] ?? nodes[0]).client
      .raw(method, target, { ...sent, headers: { ...headers, ...sent.headers } })
      .expect(status);
  const begun = await ask('POST', `/v2/${REPOSITORY}/blobs/uploads/`, 202);
  const place = new URL(begun.need('location'), nodes[0].url).pathname;
  await ask('PATCH', place, 202, { body: Readable.from([large]) });
  await ask('PUT', `${place}?digest=${digestOf(large)}`, 201);
  const config = uniqueConfig();
  await ask('POST', `/v2/${REPOSITORY}/blobs/uploads/?digest=${digestOf(config)}`, 201, { body: config });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: IMAGE_MANIFEST,
      config: describeBytes(IMAGE_CONFIG, config),
      layers: [describeBytes(IMAGE_LAYER, large)],
    }),
  );
  await ask('PUT', `/v2/${REPOSITORY}/manifests/v1`, 201, {
    headers: { 'content-type': IMAGE_MANIFEST },
    body: manifest,
  });
  return place.split('/').at(-1) ?? '';
}

const basic = (): string => `Basic ${Buffer.from(`admin:${nodes[0].password}`).toString('base64')}`;

/** The spans of a trace, once those of `requests` requests are there. */
async function trace(traceId: string, requests: number): Promise<Span[]> {
  const servers = (): Span[] => collector.inTrace(traceId).filter(({ kind }) => kind === SERVER);
  await eventually(`${requests} requests in ${traceId}`, () => servers().length >= requests);
  await collected();
  if (requests > 0) expect(servers()).toHaveLength(requests);
  return collector.inTrace(traceId);
}

/** Nodes send what has ended before, and then the span of this request. */
async function collected(): Promise<void> {
  for (const { client } of nodes) {
    const traceId = randomBytes(16).toString('hex');
    await client.raw('GET', '/v2/', { headers: { traceparent: `00-${traceId}-${'1'.repeat(16)}-01` } }).expect(401);
    await eventually('a span', () => collector.inTrace(traceId).length > 0);
  }
}

function named(spans: readonly Span[], name: string): Span[] {
  return spans.filter((span) => span.name === name);
}

/** The request that a span was made for. */
function requestOf(span: Span, spans: readonly Span[]): Span | undefined {
  if (span.kind === SERVER) return span;
  const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
  return parent && requestOf(parent, spans);
}

const PUSH_NAMES = [
  'PATCH /v2/{name}/blobs/uploads/{id}',
  'POST /v2/{name}/blobs/uploads',
  'POST /v2/{name}/blobs/uploads',
  'PUT /v2/{name}/blobs/uploads/{id}',
  'PUT /v2/{name}/manifests/{reference}',
];

describe('a push whose client sends a traceparent', () => {
  const traceId = randomBytes(16).toString('hex');
  const parent = randomBytes(8).toString('hex');
  let spans: Span[];

  beforeAll(async () => {
    await push({ authorization: basic(), traceparent: `00-${traceId}-${parent}-01` });
    spans = await trace(traceId, PUSH_NAMES.length);
  });

  it('is one trace over both nodes, each request below the span of the client', () => {
    const requests = spans.filter(({ kind }) => kind === SERVER);
    expect(requests.map(({ name }) => name).sort()).toEqual(PUSH_NAMES);
    expect(new Set(requests.map(({ parentSpanId }) => parentSpanId))).toEqual(new Set([parent]));
    const processes = requests.map(({ resource }) => resource['service.instance.id']);
    expect(new Set(processes).size).toBe(2);
  });

  it('shows what PostgreSQL, Redis and S3 were asked, each below its request', () => {
    const asked = spans.filter(({ kind }) => kind === CLIENT);
    expect(asked.every((span) => requestOf(span, spans) !== undefined)).toBe(true);
    const byRequest = (name: string): (string | undefined)[] =>
      named(spans, name).map((span) => requestOf(span, spans)?.name);
    expect(byRequest('redis-MGET').length).toBeGreaterThan(0);
    expect(byRequest('S3.UploadPart')).toContain('PATCH /v2/{name}/blobs/uploads/{id}');
    expect(byRequest('S3.CompleteMultipartUpload')).toEqual(['PUT /v2/{name}/blobs/uploads/{id}']);
    expect(byRequest('S3.PutObject')).toContain('POST /v2/{name}/blobs/uploads');
    for (const name of new Set(PUSH_NAMES)) {
      const statements = asked.filter(
        (span) => span.name.startsWith('PostgreSQL ') && requestOf(span, spans)?.name === name,
      );
      expect({ name, count: statements.length }).toEqual({ name, count: expect.any(Number) });
      expect(statements.length).toBeGreaterThan(0);
    }
  });

  it('says of each request what it was and how it ended', () => {
    const [put] = named(spans, 'PUT /v2/{name}/manifests/{reference}');
    expect(put?.attributes).toMatchObject({
      'http.request.method': 'PUT',
      'http.route': '/v2/{name}/manifests/{reference}',
      'http.response.status_code': 201,
      'url.path': `/v2/${REPOSITORY}/manifests/v1`,
      'url.scheme': 'http',
      'server.address': '127.0.0.1',
      'client.address': '127.0.0.1',
      'aerugo.repository': REPOSITORY,
    });
    expect(put?.resource).toMatchObject({ 'service.name': 'registry', 'deployment.name': 'test' });
  });

  it('is found again in the access log', async () => {
    const lines = () => nodes.flatMap((node) => node.events()).filter((line) => line['trace'] === traceId);
    await eventually('the lines', () => lines().length === PUSH_NAMES.length);
    expect(
      lines()
        .map(({ method }) => method)
        .sort(),
    ).toEqual(['PATCH', 'POST', 'POST', 'PUT', 'PUT']);
  });
});

it('is one trace when aerugo push sends the bytes to the store itself', async () => {
  const layout = scratchDirectory('layout');
  writeImage(layout, 'v1', [1_000, 12 * 2 ** 20]);
  const [{ url, password }] = nodes;
  const target = `${new URL(url).host}/admin/direct:v1`;
  const login = ['--username', 'admin', '--password-stdin'];
  await aerugo(['push', layout, target, ...login], { input: `${password}\n` });
  const about = (): Span[] =>
    collector.spans.filter(({ attributes }) => attributes['aerugo.repository'] === 'admin/direct');
  await eventually('the manifest', () => named(about(), 'PUT /v2/{name}/manifests/{reference}').length > 0);
  const [traceId = ''] = about().map((span) => span.traceId);
  const names = (await trace(traceId, 0)).map(({ name }) => name);
  expect(new Set(about().map((span) => span.traceId)).size).toBe(1);
  expect(names).toContain('GET /api/v1/auth/token');
  expect(names.filter((name) => name.endsWith('/blobs/uploads/{id}/complete'))).not.toEqual([]);
});

describe('without a traceparent', () => {
  it('the requests of one upload are one trace, on whatever node, below the one that began it', async () => {
    const id = await push({ authorization: basic() });
    const spans = await trace(id.replaceAll('-', ''), 3);
    const begun = spans.find(({ parentSpanId }) => parentSpanId === '');
    expect(begun?.name).toBe('POST /v2/{name}/blobs/uploads');
    const others = spans.filter((span) => span.kind === SERVER && span !== begun);
    expect(others.map(({ name, parentSpanId }) => [name, parentSpanId]).sort()).toEqual([
      ['PATCH /v2/{name}/blobs/uploads/{id}', begun?.spanId],
      ['PUT /v2/{name}/blobs/uploads/{id}', begun?.spanId],
    ]);
  });

  it('a whole push with one token is one trace, on whatever node, below the request for the token', async () => {
    const token = await nodes[0].client.token(`repository:${REPOSITORY}:pull,push`);
    await push({ authorization: `Bearer ${token}` });
    const { jti } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { jti: string };
    const spans = await trace(jti.replaceAll('-', ''), PUSH_NAMES.length + 1);
    const begun = spans.find(({ parentSpanId }) => parentSpanId === '');
    expect(begun?.name).toBe('GET /api/v1/auth/token');
    const others = spans.filter((span) => span.kind === SERVER && span !== begun);
    expect(others.map(({ name }) => name).sort()).toEqual(PUSH_NAMES);
    expect(new Set(others.map(({ parentSpanId }) => parentSpanId))).toEqual(new Set([begun?.spanId]));
  });

  it('requests with a token that only pulls stay apart', async () => {
    const before = collector.spans.length;
    const authorization = `Bearer ${await nodes[0].client.token(`repository:${REPOSITORY}:pull`)}`;
    for (const node of nodes) {
      await node.client.raw('GET', `/v2/${REPOSITORY}/manifests/v1`, { headers: { authorization } }).expect(200);
    }
    const pulls = (): Span[] => named(collector.spans.slice(before), 'GET /v2/{name}/manifests/{reference}');
    await eventually('both', () => pulls().length === 2);
    expect(pulls()[0]?.traceId).not.toBe(pulls()[1]?.traceId);
  });
});

describe('what is no request', () => {
  it('makes no trace: health, and what a node does by itself', async () => {
    for (const { client } of nodes)
      for (const probe of ['/livez', '/readyz']) await client.raw('GET', probe).expect(200);
    await collected();
    const roots = collector.spans.filter(({ parentSpanId }) => parentSpanId === '');
    expect(roots.filter(({ kind }) => kind !== SERVER)).toEqual([]);
    expect(collector.text).not.toMatch(/livez|readyz/);
  });
});

describe('a signed URL', () => {
  it('makes no span of S3, which is not asked', async () => {
    const [{ client }] = nodes;
    await client.getBlob(REPOSITORY, await client.pushBlob(REPOSITORY, 'something to sign')).expect(307);
    await collected();
    const asked = collector.spans.filter(({ name }) => name.startsWith('S3.'));
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.filter(({ attributes }) => attributes['aws.request.id'] === undefined)).toEqual([]);
  });
});

describe('what leaves the node', () => {
  it('is the list of attributes, and no secret, value, key or signature', async () => {
    const [{ client, password, env }] = nodes;
    const digest = await client.pushBlob(REPOSITORY, 'something to pull');
    const signed = (await client.getBlob(REPOSITORY, digest).expect(307)).need('location');
    await client.api('POST', '/api/v1/users', { username: 'hidden-name', password: 'hunter22hunter22' }).expect(201);
    await client.raw('GET', `/api/v1/auth/token?account=query-value&service=aerugo`, {
      headers: { authorization: `Basic ${Buffer.from('admin:wrong-password').toString('base64')}` },
    });
    await client.raw('GET', `/v2/${REPOSITORY}/tags/list?n=query-value`);
    const token = await client.token(`repository:${REPOSITORY}:pull,push`);
    await collected();

    expect(
      collector.spans.flatMap(({ attributes }) => Object.keys(attributes)).filter((key) => !LEAVING.has(key)),
    ).toEqual([]);
    const secrets = [
      password,
      token,
      env['JWT_SECRET'],
      env['S3_SECRET_KEY'],
      env['S3_ACCESS_KEY'],
      new URL(signed).searchParams.get('X-Amz-Signature'),
      'X-Amz-',
      'hunter22',
      'hidden-name',
      'wrong-password',
      'query-value',
      'aerugo:generation',
      'aerugo:fact',
      'Bearer',
      'Basic ',
      '?digest=',
    ];
    expect(secrets.filter((secret) => !secret || collector.text.includes(secret))).toEqual([]);
    const statement = collector.spans.find(({ attributes }) => String(attributes['db.query.text']).includes('$1'));
    expect(statement).toBeDefined();
  });
});

describe('a node that stops', () => {
  it('sends what its workers still have', async () => {
    const traceId = randomBytes(16).toString('hex');
    const env = { WORKERS: '2', DATABASE_MAX_CONNECTIONS: '6', OTEL_BSP_SCHEDULE_DELAY: '600000' };
    const node = await startRegistry({ like: nodes[0], env });
    const headers = { traceparent: `00-${traceId}-${'1'.repeat(16)}-01`, authorization: basic() };
    for (let count = 0; count < 20; count += 1) await node.client.raw('GET', '/v2/', { headers }).expect(200);
    expect(collector.inTrace(traceId)).toEqual([]);
    await node.stop();
    expect(named(collector.inTrace(traceId), 'GET /v2')).toHaveLength(20);
  });

  it.each([
    ['is not there', async () => ({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}` })],
    ['never answers', hanging],
  ])('works, ends and says so once where the collector %s', async (_case, settings) => {
    const env = { ...(await settings()), OTEL_EXPORTER_OTLP_TIMEOUT: '1000', WORKERS: '1' };
    const node = await startRegistry({ like: nodes[0], env });
    await node.client.pushImage('admin/untraced', 'v1');
    const lost = () => node.events().filter(({ event }) => event === 'traces.lost');
    await eventually('a warning', () => lost().length > 0, 30_000);
    for (let count = 0; count < 20; count += 1) await node.client.getManifest('admin/untraced', 'v1').expect(200);
    await node.stop();
    expect(await node.exited).toBe(0);
    expect(lost()).toHaveLength(1);
  });
});

async function hanging(): Promise<Record<string, string>> {
  const other = await Collector.start();
  other.hang();
  return other.env;
}

describe('a node without OTEL variables', () => {
  const watched = { NODE_OPTIONS: `--import ${path.join(import.meta.dirname, 'loaded-modules.mjs')}` };
  const loaded = (node: Registry) => node.events().filter(({ event }) => event === 'test.loaded');

  it('loads nothing of what makes traces, and its log names none', async () => {
    const { OTEL_EXPORTER_OTLP_ENDPOINT: _endpoint, ...env } = nodes[0].env;
    const node = await startRegistry({ like: { ...nodes[0], env }, env: watched });
    await node.client.pushImage('admin/untraced', 'v1');
    const requests = () => node.events().filter(({ event }) => event === 'request');
    await eventually('its log', () => requests().length > 0);
    expect(requests().filter((line) => 'trace' in line)).toEqual([]);
    expect(loaded(node)).toEqual([]);
  });

  it('would show it if it did', async () => {
    const node = await startRegistry({ like: nodes[0], env: watched });
    expect(loaded(node).length).toBeGreaterThan(10);
  });
});
