import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { someBytes } from '../conformance/documents.js';
import { digestOf } from '../support/content.js';
import { eventually } from '../support/processes.js';
import type { RegistryClient } from '../support/registry-client.js';
import { startAgain, startEmbedded } from './start-to-end.js';

const REPOSITORY = 'admin/crash';

/** Pushes small blobs one after the other until the registry is gone; those that were acknowledged. */
async function pushUntilGone(client: RegistryClient, acknowledged: Map<string, Buffer>): Promise<void> {
  for (;;) {
    const bytes = someBytes(5_000);
    try {
      const upload = await client.startUpload(REPOSITORY);
      await upload.patch(null, bytes).expect(202);
      await upload.put(digestOf(bytes)).expect(201);
      acknowledged.set(digestOf(bytes), bytes);
    } catch {
      return;
    }
  }
}

describe('a registry with its own database that is killed in the middle of small pushes', () => {
  it('has every blob that it acknowledged, and says of open uploads what it has of them', async () => {
    const killed = await startEmbedded();
    const acknowledged = new Map<string, Buffer>();
    const pushes = Array.from({ length: 8 }, () => pushUntilGone(killed.client, acknowledged));
    await eventually('some blobs', () => acknowledged.size > 200);
    const young = await killed.client.startUpload(REPOSITORY);
    await young.patch('0-99', someBytes(100)).expect(202);
    await killed.kill();
    await Promise.all(pushes);

    const next = await startAgain(killed);
    for (const [digest, bytes] of acknowledged)
      expect((await next.client.pullBlob(REPOSITORY, digest)).equals(bytes)).toBe(true);
    // What it does not have any more, it does not claim to have.
    const { status, headers } = await next.client.uploadAt(REPOSITORY, young.path).status();
    expect(['404', '204 0-0', '204 0-99']).toContain([status, headers['range'] ?? []].flat().join(' '));
    await next.stop();
  }, 90_000);

  it('has every byte that it acknowledged when it is stopped instead', async () => {
    const stopped = await startEmbedded();
    const bytes = someBytes(100);
    const upload = await stopped.client.startUpload(REPOSITORY);
    await upload.patch('0-49', bytes.subarray(0, 50)).expect(202);
    await stopped.stop();
    const next = await startAgain(stopped);
    const again = next.client.uploadAt(REPOSITORY, upload.path);
    await again.status().expect(204, { range: '0-49' });
    await again.patch('50-99', bytes.subarray(50)).expect(202);
    await again.put(digestOf(bytes)).expect(201);
    expect(readdirSync(path.join(next.dataDir, 'blobs', upload.id.slice(-2)))).toHaveLength(1);
    await next.stop();
  }, 90_000);
});
