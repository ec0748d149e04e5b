import { beforeAll, describe, expect } from '@jest/globals';
import { unknownDigest } from '../support/content.js';
import type { Reply } from '../support/http-exchange.js';
import { pushedImage } from './documents.js';
import { must, mustNot, ours, should } from './requirement.js';
import { useWorld } from './world.js';

const world = useWorld();
let repository: string;

beforeAll(async () => {
  repository = world.newRepository();
  await pushedImage(world.alice, repository, 'v1');
});

describe('Determining support (end-1)', () => {
  must('answers GET /v2/ with 200 to an authenticated client', async () => {
    await world.alice.request('GET', '/v2/').expect(200);
    await world.alice.request('GET', '/v2').expect(200);
  });

  ours('answers GET /v2/ with 401 and a challenge to anybody else', async () => {
    const challenge = /^Bearer realm="http[^"]+\/api\/v1\/auth\/token",service="aerugo"/;
    await world.anonymous
      .raw('GET', '/v2/')
      .expect(401, { code: 'UNAUTHORIZED', headers: { 'www-authenticate': challenge } });
  });

  ours('answers HEAD /v2/ like GET', async () => {
    const reply = await world.alice.request('HEAD', '/v2/').expect(200);
    expect(reply.body).toHaveLength(0);
  });
});

/** One request for each kind of answer, errors included. */
async function allKindsOfAnswers(): Promise<Reply[]> {
  return Promise.all([
    world.alice.request('GET', '/v2/'),
    world.anonymous.raw('GET', '/v2/'),
    world.alice.getManifest(repository, 'v1'),
    world.alice.getManifest(repository, 'none'),
    world.alice.getBlob(repository, unknownDigest()),
    world.alice.listTags(repository),
    world.alice.referrers(repository, unknownDigest()),
    world.alice.catalog(),
    world.alice.request('POST', `/v2/${repository}/blobs/uploads/`),
    world.alice.request('GET', '/v2/UPPER/case/tags/list'),
    world.alice.request('PATCH', '/v2/'),
    world.alice.request('GET', '/v2/nothing/like/this'),
    world.bob.getManifest(repository, 'v1'),
  ]);
}

describe('API: what every answer below /v2 carries', () => {
  ours('names the version of the API', async () => {
    for (const reply of await allKindsOfAnswers()) {
      expect([reply.request, reply.header('docker-distribution-api-version')]).toEqual([reply.request, 'registry/2.0']);
    }
  });

  ours('forbids a browser to guess its type or to run it', async () => {
    for (const reply of await allKindsOfAnswers()) {
      reply.expect(reply.status, {
        headers: { 'x-content-type-options': 'nosniff', 'content-security-policy': /default-src 'none'.*sandbox/ },
      });
    }
  });

  ours('says nothing about the software behind it', async () => {
    for (const reply of await allKindsOfAnswers()) expect(reply.header('x-powered-by')).toBeUndefined();
  });
});

const CODES = [
  'BLOB_UNKNOWN',
  'BLOB_UPLOAD_INVALID',
  'BLOB_UPLOAD_UNKNOWN',
  'DIGEST_INVALID',
  'MANIFEST_BLOB_UNKNOWN',
  'MANIFEST_INVALID',
  'MANIFEST_UNKNOWN',
  'NAME_INVALID',
  'NAME_UNKNOWN',
  'SIZE_INVALID',
  'UNAUTHORIZED',
  'DENIED',
  'UNSUPPORTED',
  'TOOMANYREQUESTS',
];

describe('Error Codes', () => {
  must('has a JSON body of errors whose codes are in the list of the specification', async () => {
    const refused = (await allKindsOfAnswers()).filter((reply) => reply.status >= 400);
    expect(refused.length).toBeGreaterThan(6);
    for (const reply of refused) {
      reply.expect(reply.status, { headers: { 'content-type': /^application\/json/ } });
      const body = reply.json<{ errors: { code: string; message: string }[] }>();
      expect(Object.keys(body)).toEqual(['errors']);
      for (const error of body.errors) {
        expect(CODES).toContain(error.code);
        expect(typeof error.message).toBe('string');
        expect(Object.keys(error).filter((key) => !['code', 'message', 'detail'].includes(key))).toEqual([]);
      }
    }
  });

  must('gives no body to a HEAD that it refuses', async () => {
    const reply = await world.alice.headManifest(repository, 'none').expect(404);
    expect(reply.body).toHaveLength(0);
  });

  ours('answers 405 UNSUPPORTED to a known path with a wrong method', async () => {
    const digest = unknownDigest();
    const requests = [
      ['POST', '/v2/'],
      ['DELETE', '/v2/'],
      ['OPTIONS', '/v2/'],
      ['OPTIONS', `/v2/${repository}/manifests/v1`],
      ['PUT', `/v2/${repository}/tags/list`],
      ['DELETE', `/v2/${repository}/tags/list`],
      ['POST', `/v2/${repository}/manifests/v1`],
      ['PATCH', `/v2/${repository}/manifests/v1`],
      ['PUT', `/v2/${repository}/blobs/${digest}`],
      ['POST', `/v2/${repository}/referrers/${digest}`],
      ['GET', `/v2/${repository}/blobs/uploads/`],
      ['POST', '/v2/_catalog'],
    ] as const;
    for (const [method, path] of requests) {
      await world.alice.request(method, path).expect(405, { code: 'UNSUPPORTED' });
    }
  });

  ours('answers 404 in the same format to a path that is none', async () => {
    for (const path of ['/v2/a', '/v2/a/b', '/v2/a/b/c/d', `/v2/${repository}/tags`, `/v2/${repository}/_layers/x`]) {
      const reply = await world.alice.request('GET', path).expect(404);
      expect(CODES).toContain(reply.codes[0]);
    }
  });

  ours('answers 400 to an escape in the path that is broken', async () => {
    const reply = await world.alice.request('GET', '/v2/%zz/tags/list').expect(400);
    expect(CODES).toContain(reply.codes[0]);
  });
});

describe('Warnings', () => {
  must('uses warn-code 299, warn-agent - and no date in any Warning', async () => {
    for (const reply of await allKindsOfAnswers()) {
      const warning = reply.header('warning');
      if (warning !== undefined) expect(warning).toMatch(/^299 - "[^"]*"(, 299 - "[^"]*")*$/);
    }
  });

  mustNot('sends more than 4096 bytes of warnings', async () => {
    for (const reply of await allKindsOfAnswers()) {
      expect(Buffer.byteLength(reply.header('warning') ?? '')).toBeLessThanOrEqual(4096);
    }
  });
});

describe('API: HTTP semantics, RFC 9110', () => {
  should('answers HEAD wherever it answers GET, with the same headers', async () => {
    for (const path of [`/v2/${repository}/manifests/v1`, `/v2/${repository}/tags/list`]) {
      const [get, head] = [await world.alice.request('GET', path), await world.alice.request('HEAD', path)];
      expect(head.status).toBe(get.status);
      for (const name of ['content-type', 'content-length', 'docker-content-digest', 'etag']) {
        expect([path, name, head.header(name)]).toEqual([path, name, get.header(name)]);
      }
    }
  });
});
