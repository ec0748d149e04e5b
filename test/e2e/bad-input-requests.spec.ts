import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { imageOf, putDocument, pushedImage, someBytes, uniqueName, unpushedImage } from '../conformance/documents.js';
import { useWorld } from '../conformance/world.js';
import { describeBytes, digestOf, IMAGE_CONFIG, IMAGE_INDEX, IMAGE_LAYER, IMAGE_MANIFEST } from '../support/content.js';
import type { Headers } from '../support/http-exchange.js';
import { onTheWire as sendOnTheWire } from '../support/wire.js';
import { manifestRows, storedThings } from './left-behind.js';

const MIB = 2 ** 20;

const world = useWorld();
let repository: string;

beforeAll(async () => {
  repository = world.newRepository();
  await pushedImage(world.alice, repository, 'v1');
});

/** What a refused request must not change. */
async function everything(): Promise<unknown> {
  return { rows: await manifestRows(world.registry), stored: await storedThings(world.registry) };
}

describe('a manifest that is refused leaves no row', () => {
  let before: unknown;
  const pushing: { config: Buffer; layer: Buffer } = { config: Buffer.alloc(0), layer: Buffer.alloc(0) };

  beforeEach(async () => {
    pushing.config = someBytes(40);
    pushing.layer = someBytes(60);
    await world.alice.pushBlob(repository, pushing.config);
    await world.alice.pushBlob(repository, pushing.layer);
    before = await everything();
  });

  afterEach(async () => {
    expect(await everything()).toEqual(before);
  });

  const image = (layer: object): string =>
    imageOf(describeBytes(IMAGE_CONFIG, pushing.config), [layer]).bytes.toString();
  const layerOf = (size: number): object => ({ ...describeBytes(IMAGE_LAYER, pushing.layer), size });

  const REFUSED: readonly (readonly [string, number, string, () => string | Buffer, string?])[] = [
    ['is not JSON', 400, 'MANIFEST_INVALID', () => image(layerOf(60)).slice(0, -1)],
    ['is JSON and then more', 400, 'MANIFEST_INVALID', () => `${image(layerOf(60))}{}`],
    ['is empty', 400, 'MANIFEST_INVALID', () => ''],
    ['is a text', 400, 'MANIFEST_INVALID', () => '"manifest"'],
    ['is null', 400, 'MANIFEST_INVALID', () => 'null'],
    ['is a list', 400, 'MANIFEST_INVALID', () => `[${image(layerOf(60))}]`],
    ['is not UTF-8', 400, 'MANIFEST_INVALID', () => Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ['is too deep', 400, 'MANIFEST_INVALID', () => `{"a":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`],
    ['is too large', 413, 'MANIFEST_INVALID', () => JSON.stringify({ schemaVersion: 2, filler: 'x'.repeat(9 * MIB) })],
    ['has another mediaType', 400, 'MANIFEST_INVALID', () => image(layerOf(60)).replace(IMAGE_MANIFEST, IMAGE_INDEX)],
    ['is sent as another type', 400, 'MANIFEST_INVALID', () => image(layerOf(60)), IMAGE_INDEX],
    ['is sent as a page', 400, 'MANIFEST_INVALID', () => '<html></html>', 'text/html'],
    ['says a layer is smaller', 400, 'MANIFEST_INVALID', () => image(layerOf(59))],
    ['says a layer is larger', 400, 'MANIFEST_INVALID', () => image(layerOf(61))],
    [
      'names a layer that is not there',
      404,
      'MANIFEST_BLOB_UNKNOWN',
      () => image(describeBytes(IMAGE_LAYER, someBytes(9))),
    ],
    ['has a layer without a digest', 400, 'MANIFEST_INVALID', () => image({ mediaType: IMAGE_LAYER, size: 1 })],
  ];
  for (const [what, status, code, make, mediaType = IMAGE_MANIFEST] of REFUSED) {
    it(`answers ${status} ${code} when it ${what}`, async () => {
      await world.alice.putManifest(repository, 'refused', make(), { mediaType }).expect(status, { code });
      await world.alice.headManifest(repository, 'refused').expect(404);
    });
  }

  it('answers 400 DIGEST_INVALID when it is not what its address says', async () => {
    const body = image(layerOf(60));
    await world.alice.putManifest(repository, digestOf(`${body} `), body).expect(400, { code: 'DIGEST_INVALID' });
    await world.alice.putManifest(repository, 'sha256:beef', body).expect(400, { code: 'DIGEST_INVALID' });
  });

  for (const tag of ['-x', '.x', 'a'.repeat(129), 'a%20b', 'a%00b', 'a%0Ab', 'caf%C3%A9', 'a%25b', '..']) {
    it(`answers 400 to the tag ${tag.slice(0, 20)}`, async () => {
      const body = image(layerOf(60));
      const reply = await world.alice.putManifest(repository, tag, body).expect(400);
      expect(['MANIFEST_INVALID', 'NAME_INVALID']).toContain(reply.codes[0]);
      await world.alice
        .putManifest(repository, digestOf(body), body, { query: `tag=${tag}` })
        .expect(400, { code: 'MANIFEST_INVALID' });
    });
  }
});

describe('a name that is refused makes no repository', () => {
  const NAMES = [
    'alice/../bob/x',
    'alice/%2e%2e/x',
    '../alice/x',
    'alice/a%00b',
    'alice/Upper',
    'ALICE/x',
    `alice/${'a'.repeat(295)}`,
    'alice//x',
    'alice/x%0d%0aSet-Cookie:%20a=b',
    'alice/%ff',
    'alice/x%5cy',
  ];
  for (const name of NAMES) {
    // Bytes that are no text are no name either: the path as such is malformed.
    const code = name.includes('%ff') ? 'UNSUPPORTED' : 'NAME_INVALID';
    it(`answers 400 ${code} to ${name.slice(0, 40)}`, async () => {
      const before = await everything();
      const authorization = `Bearer ${await world.alice.token()}`;
      const headers = { authorization, 'content-type': IMAGE_MANIFEST };
      await world.alice.raw('POST', `/v2/${name}/blobs/uploads/`, { headers }).expect(400, { code });
      await world.alice.raw('PUT', `/v2/${name}/manifests/v1`, { headers, body: '{}' }).expect(400, { code });
      await world.alice.raw('GET', `/v2/${name}/tags/list`, { headers }).expect(400, { code });
      expect(await everything()).toEqual(before);
    });
  }
});

describe('page sizes that are no numbers', () => {
  for (const n of ['-1', 'abc', '1e9', '0x10', '1.0', '%2B1', '1%00']) {
    it(`answers 400 UNSUPPORTED to n=${n}`, async () => {
      await world.alice.listTags(repository, `n=${n}`).expect(400, { code: 'UNSUPPORTED' });
      await world.alice.catalog(`n=${n}`).expect(400, { code: 'UNSUPPORTED' });
    });
  }
});

describe('floods and bombs', () => {
  const megabytesInUse = (): number => {
    const status = readFileSync(`/proc/${world.registry.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
  };

  const onTheWire = (text: string): Promise<string> => sendOnTheWire(world.registry.url, text);

  const headersOf = (lines: string): string => `GET /v2/ HTTP/1.1\r\nHost: x\r\n${lines}\r\n\r\n`;

  it('answers 431 to a header that is too long, and to too many of them', async () => {
    const many = Array.from({ length: 6000 }, (_, i) => `X-${i}: b`).join('\r\n');
    for (const lines of [`X-Long: ${'a'.repeat(70_000)}`, many]) {
      const answer = await onTheWire(headersOf(lines));
      expect(answer).toMatch(/^HTTP\/1\.1 431 /);
      const body = answer.slice(answer.indexOf('\r\n\r\n') + 4);
      expect(JSON.parse(body)).toMatchObject({ errors: [{ code: 'UNSUPPORTED' }] });
    }
  });

  it('cuts off a flood of headers and goes on serving', async () => {
    const used = megabytesInUse();
    const flood = headersOf(`X-Long: ${'a'.repeat(20 * MIB)}`);
    for (const answer of await Promise.all(Array.from({ length: 10 }, () => onTheWire(flood)))) {
      expect(answer).toMatch(/^(HTTP\/1\.1 431 |$)/);
    }
    expect(megabytesInUse() - used).toBeLessThan(150);
    await world.alice.getManifest(repository, 'v1').expect(200);
  });

  it('answers 400 to what is not HTTP', async () => {
    for (const text of [
      'nonsense\r\n\r\n',
      'GET /v2/ HTTP/1.1\r\nHost: x\r\nBad Header: y\r\n\r\n',
      '\x16\x03\x01\x02\r\n\r\n',
    ]) {
      expect(await onTheWire(text)).toMatch(/^HTTP\/1\.1 400 /);
    }
    await world.alice.getManifest(repository, 'v1').expect(200);
  });

  it('answers 400 to a body whose length is said twice', async () => {
    const smuggled = 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /v2/ HTTP/1.1\r\n\r\n';
    const answer = await onTheWire(`PUT /v2/alice/x/manifests/v1 HTTP/1.1\r\nHost: x\r\n${smuggled}`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  });

  /** What the JSON login gives: tokens of the docker forms are for /v2. */
  async function administrator(): Promise<Headers> {
    const { username, password } = world.registry;
    const body = JSON.stringify({ username, password });
    const headers = { 'content-type': 'application/json' };
    const reply = await world.anonymous.raw('POST', '/api/v1/auth/token', { headers, body }).expect([200, 201]);
    return { authorization: `Bearer ${reply.json<{ access_token: string }>().access_token}` };
  }

  const bomb = gzipSync(Buffer.alloc(200 * MIB, ' '));

  it('never unpacks a manifest that says it is compressed', async () => {
    const before = await everything();
    const used = megabytesInUse();
    const headers = { 'content-encoding': 'gzip' };
    const reply = await world.alice.putManifest(repository, 'bomb', bomb, { headers });
    expect([400, 415]).toContain(reply.status);
    expect(['MANIFEST_INVALID', 'UNSUPPORTED']).toContain(reply.codes[0]);
    expect(megabytesInUse() - used).toBeLessThan(150);
    expect(await everything()).toEqual(before);
  });

  it('unpacks no more than a management request may hold', async () => {
    const used = megabytesInUse();
    const headers = { ...(await administrator()), 'content-encoding': 'gzip', 'content-type': 'application/json' };
    const paths = ['/api/v1/users', '/api/v1/auth/token'];
    for (const path of paths) {
      const reply = await world.alice.raw('POST', path, { headers, body: bomb });
      expect([400, 413, 415]).toContain(reply.status);
      expect(reply.need('content-type')).toContain('application/problem+json');
    }
    expect(megabytesInUse() - used).toBeLessThan(150);
  });

  it('stores a blob that says it is compressed as the bytes that it is', async () => {
    const digest = digestOf(bomb);
    const upload = await world.alice.startUpload(repository);
    await upload.put(digest, bomb, { headers: { 'content-encoding': 'gzip' } }).expect(201, { digest });
    expect((await world.alice.pullBlob(repository, digest)).equals(bomb)).toBe(true);
  });

  it('answers JSON that is broken, very deep or very wide on the management API with 400', async () => {
    const headers = { ...(await administrator()), 'content-type': 'application/json' };
    for (const body of [
      '{"username":',
      '[1,2',
      `${'['.repeat(50_000)}${']'.repeat(50_000)}`,
      JSON.stringify(Object.fromEntries(Array.from({ length: 9_000 }, (_, i) => [`f${i}`, 1]))),
      '"text"',
      '{"__proto__":1}',
    ]) {
      const reply = await world.alice.raw('POST', '/api/v1/users', { headers, body });
      expect([400, 422]).toContain(reply.status);
      expect(reply.need('content-type')).toContain('application/problem+json');
    }
  });

  it('answers 404 on the management API to names that nobody can have', async () => {
    const headers = await administrator();
    for (const name of ['%00', 'a%00b', '%F0%9F%98%80', 'UPPER', 'a'.repeat(1000), '__proto__', "x'--"]) {
      for (const path of [`/api/v1/users/${name}`, `/api/v1/repos/${name}/x`, `/api/v1/repos/alice/${name}`]) {
        const reply = await world.anonymous.raw('GET', path, { headers });
        reply.expect([400, 404], { headers: { 'content-type': /^application\/problem\+json/ } });
      }
    }
  });

  it('keeps the manifest of the same push when everything about it is right', async () => {
    const image = await unpushedImage(world.alice, repository);
    await putDocument(world.alice, repository, image, uniqueName('right')).expect(201);
  });
});
