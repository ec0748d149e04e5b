import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { digestFromBytes, digestToBytes } from '../../../oci/digest-bytes.js';
import type { Digest } from '../../../oci/digest.js';
import type { Tag } from '../../../oci/reference.js';
import { principalName } from '../../repos/grants/principal-name.js';
import { LARGE_MANIFEST } from '../large-manifests.js';
import { Manifest } from '../manifest.entity.js';
import type { SummarizedRow } from '../summaries/manifest-summaries.service.js';

/** What lists show of a manifest, or of a tag that points to it: then the push is the tag's. */
export interface ShownManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly artifactType: string | null;
  /** Bytes of the manifest itself. */
  readonly size: number;
  /** Bytes of all that it names. */
  readonly contentSize: number;
  /** `null` for an image whose config was not read yet. */
  readonly platforms: readonly string[] | null;
  readonly pushedAt: Date;
  /** A present name. */
  readonly pushedBy: string | null;
  readonly pulledAt: Date | null;
}

export interface ManifestRow extends ShownManifest {
  readonly pulls: number;
}

export interface ManifestDetailRow extends ManifestRow, SummarizedRow {
  /** The first ones only. */
  readonly tags: readonly Tag[];
}

/** After this manifest in the list; the time in microseconds since the epoch, which the column has and a Date does not. */
export interface ManifestPosition {
  readonly pushedAtMicros: number;
  readonly digest: Digest;
}

const TAGS_SHOWN = 100;

/** The columns that are the manifest's own. */
export const MANIFEST_COLUMNS = `m.digest, m.media_type AS "mediaType", m.artifact_type AS "artifactType", m.size,
  m.content_size AS "contentSize", m.platforms, m.pulled_at AS "pulledAt"`;
const SHOWN = `${MANIFEST_COLUMNS}, m.pulls, m.pushed_at AS "pushedAt", ${principalName('m.pushed_by')} AS "pushedBy"`;

// A manifest may have any number of tags: they are limited before they are sorted. Only small bytes are selected here:
// large ones are read in turn.
const FIND = `
SELECT ${SHOWN}, m.details, CASE WHEN m.details IS NULL AND m.size <= ${LARGE_MANIFEST} THEN m.bytes END AS bytes, ARRAY(
  SELECT name FROM (SELECT t.name FROM tags t WHERE t.repo_id = $1 AND t.digest = $2 LIMIT ${TAGS_SHOWN}) shown
  ORDER BY name
) AS tags
FROM manifests m WHERE m.repo_id = $1 AND m.digest = $2 AND m.deleted_at IS NULL`;

const LIST = `
SELECT ${SHOWN}, (extract(epoch FROM m.pushed_at) * 1000000)::bigint AS "pushedAtMicros"
FROM manifests m
WHERE m.repo_id = $1 AND m.deleted_at IS NULL
  AND (m.pushed_at, m.digest) < (timestamptz 'epoch' + $3 * interval '1 microsecond', $4::bytea)
ORDER BY m.pushed_at DESC, m.digest DESC LIMIT $2`;

/** Above every digest. */
const END = Buffer.from([0xff]);

/** Manifests as the management API shows them. */
@Injectable()
export class ManifestDetailsRepository {
  constructor(@InjectRepository(Manifest) private readonly manifests: Repository<Manifest>) {}

  async find(repoId: number, digest: Digest): Promise<ManifestDetailRow | null> {
    const [row] = await this.query<ManifestDetailRow>(FIND, [repoId, digestToBytes(digest)]);
    return row ? { ...row, digest } : null;
  }

  /** The last push first, below the position given. */
  async list(
    repoId: number,
    { below, limit }: { below: ManifestPosition | null; limit: number },
  ): Promise<(ManifestRow & ManifestPosition)[]> {
    const position = below ? [below.pushedAtMicros, digestToBytes(below.digest)] : [Number.MAX_SAFE_INTEGER, END];
    const rows = await this.query<Omit<ManifestRow & ManifestPosition, 'digest'> & { digest: Buffer }>(LIST, [
      repoId,
      limit,
      ...position,
    ]);
    return rows.map((row) => ({ ...row, digest: digestFromBytes(row.digest) }));
  }

  private query<T>(sql: string, parameters: unknown[]): Promise<T[]> {
    return this.manifests.manager.query(sql, parameters);
  }
}
