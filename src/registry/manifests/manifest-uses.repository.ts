import { Injectable } from '@nestjs/common';
import type { Transaction } from '../../database/unit-of-work.js';
import { digestToBytes } from '../../oci/digest-bytes.js';
import type { Digest } from '../../oci/digest.js';
import type { ImageConfig } from '../../oci/image-config.js';
import { platformText } from '../../oci/platform.js';

/** What one node counted of one manifest; counted up in place. */
export interface ManifestPulls {
  readonly repoId: number;
  readonly digest: Digest;
  count: number;
  /** Milliseconds since the epoch. */
  lastAt: number;
}

export interface ManifestPlatform {
  readonly repoId: number;
  readonly digest: Digest;
  readonly config: ImageConfig;
}

// Several nodes write the same rows, each of them in the order of their keys: none waits for another in a circle. The
// lock is the one that an update takes and lets tags be pointed to the manifest meanwhile. A crash may take it back.
const ADD_PULLS = `
WITH lazy AS (
  SELECT set_config('synchronous_commit', 'off', true)
), locked AS (
  SELECT m.repo_id, m.digest, u.count, to_timestamp(u.at / 1000) AS at
  FROM lazy, unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::float8[]) AS u(repo_id, digest, count, at)
  JOIN manifests m ON m.repo_id = u.repo_id AND m.digest = u.digest
  ORDER BY m.repo_id, m.digest FOR NO KEY UPDATE OF m
)
UPDATE manifests m SET pulls = m.pulls + l.count, pulled_at = greatest(m.pulled_at, l.at)
FROM locked l WHERE m.repo_id = l.repo_id AND m.digest = l.digest`;

const SAVE_PLATFORMS = `
WITH locked AS (
  SELECT m.repo_id, m.digest, u.os, u.architecture, u.variant, array_remove(ARRAY[u.platform], NULL) AS platforms
  FROM unnest($1::bigint[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[])
    AS u(repo_id, digest, os, architecture, variant, platform)
  JOIN manifests m ON m.repo_id = u.repo_id AND m.digest = u.digest
  WHERE m.platforms IS NULL
  ORDER BY m.repo_id, m.digest FOR NO KEY UPDATE OF m
)
UPDATE manifests m SET os = l.os, architecture = l.architecture, variant = l.variant, platforms = l.platforms
FROM locked l WHERE m.repo_id = l.repo_id AND m.digest = l.digest`;

/** What is learned of a manifest after its push: how it is used, and what its config says. */
@Injectable()
export class ManifestUsesRepository {
  async addPulls(tx: Transaction, pulls: readonly ManifestPulls[]): Promise<void> {
    await tx.query(ADD_PULLS, [...keysOf(pulls), pulls.map(({ count }) => count), pulls.map(({ lastAt }) => lastAt)]);
  }

  /** For manifests whose platforms are not written yet. */
  async savePlatforms(tx: Transaction, found: readonly ManifestPlatform[]): Promise<void> {
    await tx.query(SAVE_PLATFORMS, [
      ...keysOf(found),
      found.map(({ config }) => config.os),
      found.map(({ config }) => config.architecture),
      found.map(({ config }) => config.variant),
      found.map(({ config }) => platformText(config)),
    ]);
  }
}

function keysOf(rows: readonly { repoId: number; digest: Digest }[]): [number[], Buffer[]] {
  return [rows.map(({ repoId }) => repoId), rows.map(({ digest }) => digestToBytes(digest))];
}
