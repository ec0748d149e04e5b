// needs: curl
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from '@jest/globals';
import { blocksRunBy } from '../docs/commands.js';
import { run, scratchDirectory } from '../support/processes.js';
import { startRegistry } from '../support/registry.js';

it('README.md: an administrator makes a user, who makes a repository public', async () => {
  const registry = await startRegistry();
  const directory = scratchDirectory('readme');
  mkdirSync(path.join(directory, 'data'));
  writeFileSync(path.join(directory, 'data', 'admin-password'), registry.password);
  const blocks = blocksRunBy('test/e2e/readme-walk.spec.ts', 'README.md');
  expect(blocks).toHaveLength(2);
  for (const [at, { text }] of blocks.entries()) {
    const script = `set -euo pipefail\n${text}`
      .replaceAll('localhost:8080', new URL(registry.url).host)
      .replaceAll('curl ', 'curl -sS --fail-with-body ');
    // Between the two she pushes for the first time.
    if (at === 1) await registry.client.as('alice', 'correct horse battery').pushImage('alice/app', 'v1');
    await run('bash', ['-c', script], { cwd: directory });
  }
  await registry.client.anonymous().getManifest('alice/app', 'v1').expect(200);
}, 200_000);
