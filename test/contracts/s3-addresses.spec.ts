import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { S3Config } from '../../src/config/config-values.js';
import { S3Store } from '../../src/storage/s3/s3-store.js';
import { freshBucket, lookUpLocally, S3_DOMAIN, type S3Bucket } from '../support/s3.js';
import { UploadRow } from './upload-row.js';
import { budget, configOf } from './s3-config.js';
import { answerXml, startProxy, type S3Proxy } from './s3-proxy.js';

const STYLES = [
  ['path', true],
  ['virtual-host', false],
] as const;

describe('the addresses of a bucket', () => {
  let bucket: S3Bucket;
  let proxy: S3Proxy;
  let port: string;

  beforeAll(async () => {
    lookUpLocally();
    bucket = await freshBucket();
    proxy = await startProxy(bucket.endpoint);
    ({ port } = new URL(proxy.endpoint));
  });
  afterAll(async () => {
    await proxy.close();
  });

  it.each(STYLES)(
    'are in %s style, for calls and for the URLs of a separate public endpoint, with a range',
    async (_name, pathStyle) => {
      const publicEndpoint = `http://${S3_DOMAIN}:${new URL(bucket.endpoint).port}`;
      const endpoint = `http://${S3_DOMAIN}:${port}`;
      const store = new S3Store({ ...configOf(bucket), endpoint, publicEndpoint, pathStyle }, budget());
      await store.prepare();
      const key = await store.put(new UploadRow().begin().target, Buffer.from('0123456789'));
      expect(await store.stat(key)).toEqual({ size: 10 });
      const url = await store.signedUrl(key, { ttlSeconds: 300 });
      const { host: publicHost } = new URL(publicEndpoint);
      expect(`${url.host}${url.pathname}`).toBe(
        pathStyle ? `${publicHost}/${bucket.bucket}/${key}` : `${bucket.bucket}.${publicHost}/${key}`,
      );
      const seen = proxy.calls.map(({ headers }) => headers.host);
      const own = `${S3_DOMAIN}:${port}`;
      expect(new Set(seen)).toEqual(new Set([pathStyle ? own : `${bucket.bucket}.${own}`]));
      proxy.calls.length = 0;
      const reply = await fetch(url, { headers: { Range: 'bytes=2-4' } });
      expect([reply.status, reply.headers.get('content-type'), await reply.text()]).toEqual([
        206,
        'application/octet-stream',
        '234',
      ]);
      expect(proxy.calls).toEqual([]);
      await store.close();
    },
  );

  it('are the same ones for half of their life, and name a content type where one is asked for', async () => {
    const store = new S3Store(configOf(bucket), budget());
    const key = await store.put(new UploadRow().begin().target, Buffer.from('0123456789'));
    const url = await store.signedUrl(key, { ttlSeconds: 300 });
    expect(url.searchParams.get('X-Amz-Expires')).toBe('300');
    expect(await store.signedUrl(key, { ttlSeconds: 300 })).toBe(url);
    const typed = await store.signedUrl(key, { ttlSeconds: 300, contentType: 'text/x-test' });
    expect((await fetch(typed)).headers.get('content-type')).toBe('text/x-test');
    const ranges = await Promise.all(
      [0, 3, 6].map((first) => fetch(url, { headers: { Range: `bytes=${String(first)}-${String(first + 2)}` } })),
    );
    expect(await Promise.all(ranges.map((reply) => reply.text()))).toEqual(['012', '345', '678']);
    await store.close();
  });

  it('get what the store is to encrypt with, where an object begins', async () => {
    const encrypted = { serverSideEncryption: 'aws:kms', kmsKeyId: 'alias/blobs' } as const;
    const store = new S3Store({ ...configOf(bucket), endpoint: proxy.endpoint, ...encrypted }, budget());
    proxy.calls.length = 0;
    proxy.fault = ({ call }, reply) => {
      if (call === 'POST uploads') return answerXml(reply, 403, 'AccessDenied');
      reply.writeHead(200, { ETag: '"made-up"' }).end();
      return true;
    };
    const row = new UploadRow();
    await store.put(row.begin().target, Buffer.from('x'));
    const large = (async function* () {
      for (let mib = 0; mib < 9; mib += 1) yield await Promise.resolve(Buffer.alloc(1024 * 1024));
    })();
    await expect(row.send(store, large)).rejects.toMatchObject({ reason: 'denied' });
    proxy.fault = null;
    const said = proxy.calls.map(({ call, headers }) => [
      call,
      headers['x-amz-server-side-encryption'],
      headers['x-amz-server-side-encryption-aws-kms-key-id'],
    ]);
    expect(said).toEqual([
      ['PUT', 'aws:kms', 'alias/blobs'],
      ['POST uploads', 'aws:kms', 'alias/blobs'],
    ]);
    await store.close();
  });
});

describe('the keys of a bucket', () => {
  const NAMES = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_EC2_METADATA_DISABLED', 'AWS_PROFILE'] as const;
  const before = NAMES.map((name) => [name, process.env[name]] as const);
  const withoutKeys = (bucket: S3Bucket): S3Config => ({ ...configOf(bucket), accessKey: null, secretKey: null });
  afterAll(() => {
    for (const [name, value] of before) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  });

  it('come from the environment when none are set, and their absence is said at the start', async () => {
    const bucket = await freshBucket();
    for (const name of NAMES) Reflect.deleteProperty(process.env, name);
    process.env['AWS_EC2_METADATA_DISABLED'] = 'true';
    const without = new S3Store(withoutKeys(bucket), budget());
    await expect(without.prepare()).rejects.toThrow(/^no credentials for S3 were found: set S3_ACCESS_KEY/);
    process.env['AWS_ACCESS_KEY_ID'] = bucket.accessKey;
    process.env['AWS_SECRET_ACCESS_KEY'] = bucket.secretKey;
    const store = new S3Store(withoutKeys(bucket), budget());
    await store.prepare();
    const key = await store.put(new UploadRow().begin().target, Buffer.from('x'));
    expect((await fetch(await store.signedUrl(key, { ttlSeconds: 60 }))).status).toBe(200);
    await Promise.all([without.close(), store.close()]);
  });
});
