import { beforeAll, describe, expect, it } from '@jest/globals';
import { pushedImage } from '../conformance/documents.js';
import { useWorld } from '../conformance/world.js';
import { IMAGE_MANIFEST } from '../support/content.js';
import { onTheWire } from '../support/wire.js';

const world = useWorld();

const wire = (text: string): Promise<string> => onTheWire(world.registry.url, text);
const lines = (...parts: string[]): string => parts.join('\r\n');
const get = (path: string, ...headers: string[]): string =>
  lines(`GET ${path} HTTP/1.1`, 'Host: x', 'Connection: close', ...headers, '', '');
/** A request whose body two readers might see the end of at different places; what is hidden asks for a 200. */
const post = (...framing: string[]): string =>
  lines('POST /api/v1/auth/token HTTP/1.1', 'Host: x', 'Content-Type: application/json', ...framing, '', '') + HIDDEN;
const HIDDEN = lines('0', '', 'GET /livez HTTP/1.1', 'Host: x', 'Connection: close', '', '');

describe('a request whose end is not certain', () => {
  const SHAPES: readonly (readonly [string, string])[] = [
    ['a length and a coding', post('Content-Length: 4', 'Transfer-Encoding: chunked')],
    ['a coding and a length', post('Transfer-Encoding: chunked', 'Content-Length: 4')],
    ['two codings', post('Transfer-Encoding: identity', 'Transfer-Encoding: chunked')],
    ['a list of codings', post('Transfer-Encoding: gzip, chunked')],
    ['a coding that is not the last', post('Transfer-Encoding: chunked, gzip')],
    ['a coding that nobody knows', post('Transfer-Encoding: xchunked')],
    ['a space before the colon', post('Transfer-Encoding : chunked')],
    ['a control character in the value', post('Transfer-Encoding: \vchunked')],
    ['a folded line', post('Transfer-Encoding:', ' chunked')],
    ['two lengths', post('Content-Length: 4', 'Content-Length: 5')],
    ['a list of lengths', post('Content-Length: 4, 4')],
    ['a length with a sign', post('Content-Length: +4')],
    ['a length in hexadecimal', post('Content-Length: 0x4')],
    ['lines that end with LF alone', get('/livez', 'Content-Length: 0').replaceAll('\r\n', '\n')],
    ['a CR within a line', get('/livez', 'X-A: b\rX-B: c')],
    ['a NUL within a line', get('/livez', 'X-A: b\0c')],
    ['a chunk whose size ends with LF alone', post('Transfer-Encoding: chunked').replace('0\r\n', '0;\n')],
  ];
  it.each(SHAPES)('is refused, and the connection closed, with %s', async (_shape, text) => {
    const answer = await wire(text);
    // One answer at most: the second request was never seen.
    expect(answer).toMatch(/^(HTTP\/1\.1 400 [^]*|)$/);
    expect(answer.match(/HTTP\/1\.1 /g)?.length ?? 0).toBeLessThanOrEqual(1);
  });

  it('is taken when chunked is all there is to it, in any spelling', async () => {
    const text = post('Transfer-Encoding: Chunked');
    expect((await wire(text)).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400', 'HTTP/1.1 200']);
  });
});

describe('a request that names its host twice, or none', () => {
  it.each([
    ['two', lines('GET /v2/ HTTP/1.1', 'Host: a', 'Host: b', 'Connection: close', '', '')],
    ['none', lines('GET /v2/ HTTP/1.1', 'Connection: close', '', '')],
    ['one that would leave its quotes', lines('GET /v2/ HTTP/1.1', 'Host: a",b="c', 'Connection: close', '', '')],
  ])('%s: is not told where to log in', async (_what, text) => {
    const answer = await wire(text);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).not.toContain('WWW-Authenticate');
  });
});

describe('methods that nobody needs', () => {
  it.each(['TRACE', 'PROPFIND', 'QUERY'])('%s is refused, and echoes nothing', async (method) => {
    for (const path of ['/v2/', '/api/v1/users', '/api/docs', '/']) {
      const answer = await wire(get(path, 'X-Secret: echo').replace('GET', method));
      expect(answer).toMatch(/^HTTP\/1\.1 40[45] /);
      expect(answer).not.toContain('echo');
    }
  });

  it('CONNECT and unknown ones lead nowhere', async () => {
    expect(await wire(get('example.com:80').replace('GET', 'CONNECT'))).toMatch(/^HTTP\/1\.1 405 /);
    expect(await wire(get('/v2/').replace('GET', 'FOO'))).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe('paths that mean another one after a second look', () => {
  const PATHS = [
    '/api/..%2f',
    '/api/docs/..%2f..%2fpackage.json',
    '/api/docs/%2e%2e/',
    '/api//v1/users',
    '/API/v1/users',
  ];
  it.each([...PATHS, '//v2/', '/%76%32/', '/V2/', '//example.com/', '/\\example.com', '/%', '/api/v1/users/%2e%2e'])(
    '%s is no route, and sends nobody elsewhere',
    async (path) => {
      const answer = await wire(get(path));
      expect(answer).toMatch(/^HTTP\/1\.1 40[014] /);
      expect(answer).not.toMatch(/^Location:/m);
    },
  );
});

describe('text of a client that comes back in a header', () => {
  const EVIL = ['%0d%0aX-Evil:%201', '%00', '%E2%98%83', '%22%3E', '%c4%8a', '☃'];
  let repository: string;
  let digest: string;

  beforeAll(async () => {
    repository = world.newRepository();
    ({ digest } = await pushedImage(world.alice, repository, 'a'));
    await pushedImage(world.alice, repository, 'b');
  });

  /** No line of the answer's head is the client's, and none made the server fail. */
  async function staysInside(method: string, path: string, body?: string): Promise<void> {
    const headers = { 'content-type': path.startsWith('/v2') ? IMAGE_MANIFEST : 'application/json' };
    const bytes = Buffer.from(path).toString('latin1');
    const options = body === undefined ? {} : { headers, body };
    const reply = path.startsWith('/v2')
      ? await world.alice.request(method, bytes, options)
      : await world.alice.api(method, bytes, body === undefined ? undefined : {});
    expect({ path, status: reply.status < 500, evil: reply.header('x-evil') }).toEqual({
      path,
      status: true,
      evil: undefined,
    });
  }

  it.each(EVIL)('cannot end it: %s', async (evil) => {
    const read = [
      `/v2/${repository}/tags/list?n=1&last=${evil}`,
      `/v2/${repository}/tags/list?n=1${evil}`,
      `/v2/_catalog?n=1&last=${evil}`,
      `/v2/${repository}/referrers/${digest}?n=1&artifactType=${evil}`,
      `/v2/${repository}/manifests/${evil}`,
      `/v2/alice/${evil}/tags/list`,
      `/v2/${repository}/blobs/uploads/${evil}`,
      `/api/v1/repos?limit=1&q=${evil}`,
      `/api/v1/repos?limit=1&cursor=${evil}`,
      `/api/v1/repos/${repository}/tags?limit=1&q=${evil}&sort=${evil}`,
      `/api/v1/auth/token?service=aerugo&scope=repository:${evil}:pull`,
    ];
    for (const path of read) await staysInside('GET', path);
    await staysInside('POST', `/v2/${repository}/blobs/uploads/?mount=${evil}&from=${evil}`, '');
    await staysInside('POST', `/v2/${repository}/blobs/uploads/?ns=${evil}&digest=${evil}`, '');
    await staysInside('PUT', `/v2/${repository}/manifests/${digest}?tag=${evil}`, '{}');
    await staysInside('PUT', `/api/v1/repos/alice/${evil}`, '{}');
  });

  it('is a name that is looked at before it is in a challenge', async () => {
    const answer = await wire(get('/v2/alice/%22,evil=%22x/tags/list'));
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).not.toMatch(/^WWW-Authenticate: .*evil/im);
  });
});

describe('a body of the management API that is too large', () => {
  it('is refused when it is announced, before it comes', async () => {
    const head = ['Content-Type: application/json', 'Content-Length: 99999999999', 'Connection: close'];
    const started = Date.now();
    const answer = await wire(lines('POST /api/v1/users HTTP/1.1', 'Host: x', ...head, '', '{'));
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('BODY_TOO_LARGE');
    expect(Date.now() - started).toBeLessThan(10_000);
  });

  it.each(['application/json', 'application/x-www-form-urlencoded'])(
    'is refused as %s also when nobody said how large it is',
    async (type) => {
      const body = 'a'.repeat(300_000);
      const headers = { 'content-type': type, 'transfer-encoding': 'chunked' };
      const reply = await world.anonymous.raw('POST', '/api/v1/auth/token', { headers, body });
      expect([reply.status, reply.json()]).toEqual([413, expect.objectContaining({ code: 'BODY_TOO_LARGE' })]);
    },
  );
});
