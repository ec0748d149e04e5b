import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { digestToBytes } from '../../oci/digest-bytes.js';
import type { Digest } from '../../oci/digest.js';
import type { RepositoryName } from '../../oci/repository-name.js';
import type { VisibleSet } from '../repos/visible-set.js';
import { Blob } from './blob.entity.js';
import type { HeldBlob } from './content.repository.js';

/** A blob in a repository that the caller may be able to pull from. */
export interface MountSource extends HeldBlob {
  readonly path: RepositoryName;
}

/** Holders of one blob that are looked at, and candidates that are judged: a popular blob is held by very many. */
const MAX_HOLDERS = 1_000;
const MAX_CANDIDATES = 20;

const FIND = `
WITH holders AS (
  SELECT c.repo_id, b.id, b.size, b.storage_key FROM blobs b JOIN repo_content c ON c.blob_id = b.id
  WHERE b.domain = $1 AND b.digest = $2 AND b.state = 'live' LIMIT ${MAX_HOLDERS}
)
SELECT r.path, h.id AS "blobId", h.size, h.storage_key AS "storageKey"
FROM holders h JOIN repos r ON r.id = h.repo_id
WHERE r.deleted_at IS NULL AND ($3 OR r.visibility = 'public' OR r.namespace_id = ANY ($4) OR EXISTS (
  SELECT FROM repo_grants g WHERE g.repo_id = r.id AND (g.user_id = $5 OR g.robot_id = $6 OR g.team_id = ANY ($7))
))
LIMIT ${MAX_CANDIDATES}`;

@Injectable()
export class MountRepository {
  constructor(@InjectRepository(Blob) private readonly blobs: Repository<Blob>) {}

  /** What the caller could mount without saying from where: the sets that its lists of repositories are made of. */
  candidates(domain: string, digest: Digest, view: VisibleSet): Promise<MountSource[]> {
    const { everything, namespaceIds, userId, robotId, teamIds } = view;
    const seen = [everything, namespaceIds, userId, robotId, teamIds];
    return this.blobs.manager.query(FIND, [domain, digestToBytes(digest), ...seen]);
  }
}
