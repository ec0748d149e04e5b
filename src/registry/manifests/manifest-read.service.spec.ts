import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Response } from 'express';
import { NODE_SHARE } from '../../fairness/share.js';
import { MemoryFactCache } from '../../cache/memory-fact-cache.js';
import type { RepositoryFact } from '../../access/repository-fact.js';
import { parseDigest } from '../../oci/digest.js';
import { parseReference } from '../../oci/reference.js';
import { ManifestReadService, manifestsOf } from './manifest-read.service.js';
import type { ManifestFact, ManifestsRepository } from './manifests.repository.js';

const REPOSITORY = { id: 1, path: 'acme/app' } as RepositoryFact;
const DIGEST = parseDigest(`sha256:${'a'.repeat(64)}`);
const FACT: ManifestFact = { digest: DIGEST, mediaType: 'application/vnd.oci.image.index.v1+json', size: 2 };
const TAG = parseReference('v1');

class Answer extends EventEmitter {
  readonly req = { context: { share: NODE_SHARE, signal: new AbortController().signal } };
}

const answer = (): Response => new Answer() as unknown as Response;

let asked: string[];
let rows: { fact: ManifestFact | null; bytes: Buffer | null };
let facts: MemoryFactCache;
let reader: ManifestReadService;

beforeEach(() => {
  asked = [];
  rows = { fact: FACT, bytes: Buffer.from('{}') };
  facts = new MemoryFactCache();
  const repository = {
    find: () => {
      asked.push('fact');
      return Promise.resolve(rows.fact);
    },
    bytes: () => {
      asked.push('bytes');
      return Promise.resolve(rows.bytes);
    },
  };
  reader = new ManifestReadService(repository as unknown as ManifestsRepository, facts);
});

describe('reading a manifest', () => {
  it('waits for nothing once it was read', async () => {
    await reader.resolve(REPOSITORY, TAG);
    await reader.body(REPOSITORY, FACT, answer());
    expect([reader.resolve(REPOSITORY, TAG), reader.body(REPOSITORY, FACT, answer())]).toEqual([FACT, '{}']);
    expect(asked).toEqual(['fact', 'bytes']);
  });

  it('waits for nothing but the fact after a push', () => {
    reader.remember(DIGEST, Buffer.from('{}'));
    expect(reader.body(REPOSITORY, FACT, answer())).toBe('{}');
  });

  it('asks for the fact again after a drop, and not for the bytes, which never change', async () => {
    await reader.resolve(REPOSITORY, TAG);
    await reader.body(REPOSITORY, FACT, answer());
    await facts.drop([manifestsOf(REPOSITORY)]);
    rows = { fact: null, bytes: null };
    expect(await reader.resolve(REPOSITORY, TAG)).toBeNull();
    expect(asked).toEqual(['fact', 'bytes', 'fact']);
  });

  it('remembers that there is none, until a drop', async () => {
    rows.fact = null;
    await reader.resolve(REPOSITORY, TAG);
    expect(reader.resolve(REPOSITORY, TAG)).toBeNull();
  });

  it('gives each byte back, also those that are no text', async () => {
    rows.bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const body = await reader.body(REPOSITORY, FACT, answer());
    expect(Buffer.from(body as string, 'latin1')).toEqual(rows.bytes);
  });

  it('has the bytes of a large one once for all who read it at once, and again for who comes later', async () => {
    const large = { ...FACT, size: 2 * 2 ** 20 };
    rows.bytes = Buffer.alloc(large.size);
    const answers = Array.from({ length: 220 }, answer);
    const bodies = await Promise.all(answers.map(async (response) => reader.body(REPOSITORY, large, response)));
    expect(new Set(bodies).size).toBe(1);
    expect(asked).toEqual(['bytes']);
    for (const response of answers) response.emit('close');
    expect(await reader.body(REPOSITORY, large, answer())).toEqual(rows.bytes);
    expect(asked).toEqual(['bytes', 'bytes']);
  });

  it('is unknown when its row has gone since', async () => {
    rows.bytes = null;
    await expect(reader.body(REPOSITORY, FACT, answer())).rejects.toThrow(
      expect.objectContaining({ condition: 'manifestUnknown' }),
    );
  });
});
