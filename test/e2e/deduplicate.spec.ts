import { describe, expect, it } from '@jest/globals';
import { someBytes } from '../conformance/documents.js';
import { signUp } from '../conformance/world.js';
import { startRegistry } from '../support/registry.js';
import { query } from './left-behind.js';

/** Two tenants push the same bytes, one of them to two repositories; how often they are kept, and each pulls them. */
async function copiesWith(deduplicate: string): Promise<number> {
  const registry = await startRegistry({ env: { DEDUPLICATE: deduplicate } });
  const [alice, bob] = await Promise.all([signUp(registry.client, 'alice'), signUp(registry.client, 'bob')]);
  const bytes = someBytes(5_000);
  const pushes = [
    [alice, 'alice/one'],
    [alice, 'alice/two'],
    [bob, 'bob/one'],
  ] as const;
  for (const [client, repository] of pushes) {
    const digest = await client.pushBlob(repository, bytes);
    expect((await client.pullBlob(repository, digest)).equals(bytes)).toBe(true);
  }
  const rows = await query(registry, 'SELECT DISTINCT storage_key FROM blobs WHERE size = $1', [bytes.length]);
  return rows.length;
}

describe('the same bytes of two tenants', () => {
  it('are kept once with DEDUPLICATE=global', async () => {
    expect(await copiesWith('global')).toBe(1);
  }, 90_000);

  it('are kept once for each namespace with DEDUPLICATE=namespace, so that nobody’s push depends on another’s', async () => {
    expect(await copiesWith('namespace')).toBe(2);
  }, 90_000);
});
