// needs: jq curl
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { run, scratchDirectory } from '../support/processes.js';
import { startRegistry } from '../support/registry.js';

const DOCUMENT = new URL('../../docs/API.md', import.meta.url);

/** Every block of shell in the document, as one script in the order of reading. */
function scriptOf(text: string): string {
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => `${block}\necho\n`).join('');
}

describe('docs/API.md', () => {
  it('leads from an empty registry to a team that can push and a robot that can pull', async () => {
    const registry = await startRegistry();
    const env = {
      PATH: process.env['PATH'],
      REGISTRY: registry.url,
      ADMIN_PASSWORD: registry.password,
    };
    const script = `set -euo pipefail\n${scriptOf(readFileSync(DOCUMENT, 'utf8'))}`;
    const { stdout } = await run('bash', ['-c', script], { cwd: scratchDirectory('walk'), env });
    for (const line of [
      'Bearer',
      'alice is owner',
      'bob is member',
      'write by team',
      '1 pushed by bob',
      'text/plain',
      '403',
      '404',
      'alice permissions.update repo:acme/app',
    ]) {
      expect(stdout.split('\n')).toContain(line);
    }
  }, 90_000);
});
