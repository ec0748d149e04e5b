import { describe, expect, it } from '@jest/globals';
import { type CredentialLimits, UNLIMITED } from '../../../access/credential-limits.js';
import { loadConfig } from '../../../config/load-config.js';
import { HEADER_BYTES } from '../../../http/connections/header-bytes.js';
import type { RepositoryName } from '../../../oci/repository-name.js';
import { repositoryScope } from '../../../oci/scope.js';
import { AccessTokensService } from './access-tokens.service.js';

const tokens = new AccessTokensService(loadConfig({}, null, () => 'x'.repeat(32)));
const nameOf = (i: number): RepositoryName => `acme/${'n'.repeat(240)}-${String(i)}` as RepositoryName;

/** Bytes of the largest header that a token of this credential can make. */
function headerBytes(limits: CredentialLimits): number {
  const scopes = Array.from({ length: 1_000 }, (_, i) => repositoryScope(nameOf(i), ['pull', 'push', 'delete']));
  const holder = { kind: 'robot', id: Number.MAX_SAFE_INTEGER, credentialsVersion: Number.MAX_SAFE_INTEGER } as const;
  const label = `offline:${'0'.repeat(36)}`;
  const { token } = tokens.issue({ holder, label, limits, endsAt: null, scopes });
  return `Authorization: Bearer ${token}`.length;
}

describe('a token that is issued is accepted', () => {
  it('by a proxy as it comes, which reads 8 KiB of a header: for a thousand repositories with the longest names', () => {
    expect(headerBytes(UNLIMITED)).toBeLessThan(8 * 1024);
  });

  it('by this registry, also with the limits of the largest key: half of what it reads', () => {
    const repositories = Array.from({ length: 50 }, (_, i) => nameOf(i));
    expect(headerBytes({ actions: ['pull', 'push', 'delete', 'manage'], repositories })).toBeLessThan(HEADER_BYTES / 2);
  });
});
