import { describe, expect, it } from '@jest/globals';
import type { Request } from 'express';
import { MemoryFactCache } from '../../cache/memory-fact-cache.js';
import { EarlyFact } from '../../http/guards/early-fact.js';
import type { RepositoryFact } from '../../access/repository-fact.js';
import { parseReference } from '../../oci/reference.js';
import { EARLY_MANIFEST, ManifestReadService } from './manifest-read.service.js';
import type { ManifestsRepository } from './manifests.repository.js';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const REPOSITORY = { id: 7 } as RepositoryFact;

describe('the manifest that the guard asks for early', () => {
  it.each(['latest', DIGEST])('has the key under which the read remembers it: %s', async (reference) => {
    const facts = new MemoryFactCache();
    const found = { digest: DIGEST, mediaType: 'x', size: 1 };
    const reader = new ManifestReadService(
      { find: () => Promise.resolve(found) } as unknown as ManifestsRepository,
      facts,
    );
    await reader.resolve(REPOSITORY, parseReference(reference));
    expect(await facts.peek(EARLY_MANIFEST.nameFor(REPOSITORY.id, { reference }))).toBe(found);
  });

  it('is given to its owner alone', () => {
    const request = { context: { early: { to: EARLY_MANIFEST, value: null } } } as unknown as Request;
    const other = new EarlyFact(() => ({ subject: 'manifests:7', name: 'other' }));
    expect(EARLY_MANIFEST.of(request)).toBeNull();
    expect(other.of(request)).toBeUndefined();
    expect(EARLY_MANIFEST.of({ context: { early: null } } as unknown as Request)).toBeUndefined();
  });
});
