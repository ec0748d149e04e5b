// once: none of its answers asks the store
import { beforeAll, describe, expect, it } from '@jest/globals';
import { signUp } from '../conformance/world.js';
import { digestOf } from '../support/content.js';
import type { RegistryClient } from '../support/registry-client.js';
import { type Registry, startRegistry } from '../support/registry.js';

const REQUESTS = 1_000;
/** Of the medians of both; and how often a measurement may be repeated on a machine that others use too. */
const MAX_DIFFERENCE = 0.1;
const ATTEMPTS = 3;

interface Pair {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'DELETE';
  /** With the name of something of somebody else's, or of nothing. */
  readonly path: (name: string) => string;
  readonly status: number;
  readonly json?: object;
}

const ABSENT_DIGEST = digestOf('nobody has this');
const SECRET = 'secret blob of alice';

/** `%` stands for a repository of alice's that is private, or for one that does not exist. */
const REPOSITORY_PAIRS: Readonly<Record<string, Pair>> = {
  'a manifest by tag': { method: 'GET', path: (name) => `/v2/${name}/manifests/v1`, status: 404 },
  'a blob': { method: 'HEAD', path: (name) => `/v2/${name}/blobs/${digestOf(SECRET)}`, status: 404 },
  tags: { method: 'GET', path: (name) => `/v2/${name}/tags/list`, status: 404 },
  referrers: { method: 'GET', path: (name) => `/v2/${name}/referrers/${ABSENT_DIGEST}`, status: 403 },
  'an upload': { method: 'POST', path: (name) => `/v2/${name}/blobs/uploads/`, status: 404 },
  'a mount from it': {
    method: 'POST',
    path: (name) => `/v2/bob/own/blobs/uploads/?mount=${digestOf(SECRET)}&from=${name}`,
    status: 202,
  },
  'a token for it': { method: 'GET', path: (name) => `/api/v1/auth/token?scope=repository:${name}:pull`, status: 200 },
  settings: { method: 'GET', path: (name) => `/api/v1/repos/${name}`, status: 404 },
  'a change of settings': {
    method: 'PATCH',
    path: (name) => `/api/v1/repos/${name}`,
    status: 404,
    json: { sparse: true },
  },
  permissions: { method: 'GET', path: (name) => `/api/v1/repos/${name}/permissions`, status: 404 },
  search: { method: 'GET', path: (name) => `/api/v1/repos?q=${name}`, status: 200 },
};

const ORGANIZATION_PAIRS: Readonly<Record<string, Pair>> = {
  'an organization': { method: 'GET', path: (name) => `/api/v1/orgs/${name}`, status: 404 },
  members: { method: 'GET', path: (name) => `/api/v1/orgs/${name}/members`, status: 404 },
  'a robot': { method: 'GET', path: (name) => `/api/v1/orgs/${name}/robots/ci`, status: 404 },
  'its audit log': { method: 'GET', path: (name) => `/api/v1/orgs/${name}/audit`, status: 404 },
};

describe('"not yours" and "does not exist"', () => {
  let registry: Registry;
  let bob: RegistryClient;
  let headers: Record<string, string>;

  beforeAll(async () => {
    registry = await startRegistry();
    const alice = await signUp(registry.client, 'alice');
    bob = await signUp(registry.client, 'bob');
    await alice.pushImage('alice/hidden', 'v1');
    await alice.pushBlob('alice/hidden', SECRET);
    await bob.pushImage('bob/own', 'v1');
    await alice.api('POST', '/api/v1/orgs', { name: 'acme' }).expect(201);
    await alice.api('POST', '/api/v1/orgs/acme/robots', { name: 'ci' }).expect(201);
    const { username = '', password = '' } = bob.options;
    headers = { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
  }, 120_000);

  async function measure(pair: Pair, name: string): Promise<{ milliseconds: number; answer: string }> {
    const body = pair.json === undefined ? {} : { body: JSON.stringify(pair.json) };
    const type = pair.json === undefined ? {} : { 'content-type': 'application/json' };
    const begun = performance.now();
    const reply = await bob.raw(pair.method, pair.path(name), { ...body, headers: { ...headers, ...type } });
    const milliseconds = performance.now() - begun;
    reply.expect(pair.status);
    // So that those that are open stay below their limit.
    const upload = reply.headers['location'];
    if (reply.status === 202 && upload !== undefined) await bob.request('DELETE', upload).expect(204);
    return { milliseconds, answer: shapeOf(reply.text, name) };
  }

  /** Interleaved, so that a slow second of the machine meets both. */
  async function medians(pair: Pair, names: readonly [string, string]): Promise<[number, number]> {
    const times: [number[], number[]] = [[], []];
    for (let i = 0; i < 2 * REQUESTS; i++) {
      // In turn, and each pair in the other order: whoever comes second must not be the faster one.
      const which = ((i + Math.floor(i / 2)) % 2) as 0 | 1;
      times[which].push((await measure(pair, names[which])).milliseconds);
    }
    return [median(times[0]), median(times[1])];
  }

  async function expectAlike(what: string, pair: Pair, names: readonly [string, string]): Promise<void> {
    const answers = [await measure(pair, names[0]), await measure(pair, names[1])].map(({ answer }) => answer);
    expect(answers[0]).toBe(answers[1]);
    const differences: number[] = [];
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const [there, nowhere] = await medians(pair, names);
      differences.push(Math.abs(there - nowhere) / Math.min(there, nowhere));
      process.stderr.write(
        `  ${what}: ${(there * 1000).toFixed(0)} µs not yours, ${(nowhere * 1000).toFixed(0)} µs absent\n`,
      );
      if (Math.min(...differences) < MAX_DIFFERENCE) break;
    }
    expect(Math.min(...differences)).toBeLessThan(MAX_DIFFERENCE);
  }

  it.each(Object.keys(REPOSITORY_PAIRS))(
    'are one answer in one time: %s of a repository',
    async (what) => {
      const pair = REPOSITORY_PAIRS[what];
      if (pair) await expectAlike(what, pair, ['alice/hidden', 'alice/absent']);
    },
    120_000,
  );

  it.each(Object.keys(ORGANIZATION_PAIRS))(
    'are one answer in one time: %s',
    async (what) => {
      const pair = ORGANIZATION_PAIRS[what];
      if (pair) await expectAlike(what, pair, ['acme', 'none']);
    },
    120_000,
  );
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** The answer without what differs between any two requests, and without the name that was asked for. */
function shapeOf(text: string, name: string): string {
  return text
    .replaceAll(name, '%')
    .replace(/"requestId":"[^"]*"/, '"requestId":"…"')
    .replace(/"(access_)?token":"[^"]*"/g, '"token":"…"')
    .replace(/"issued_at":"[^"]*"/, '"issued_at":"…"');
}
