import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { RepositoryFact } from '../http/request-context.js';
import { digestToBytes } from '../oci/digest-bytes.js';
import type { Digest } from '../oci/digest.js';
import { Blob } from './blob.entity.js';
import type { HeldBlob } from './content.repository.js';

/** A repository that holds the blob and that the caller may be able to pull. */
export interface MountSource extends RepositoryFact, HeldBlob {}

export interface MountSearch {
  readonly domain: string;
  readonly digest: Digest;
  /** The caller's own namespace; `null` for callers without one. */
  readonly namespaceId: number | null;
  /** Whether the caller may pull everything. */
  readonly everything: boolean;
}

/** Holders of one blob that are looked at, and candidates that are judged: a popular blob is held by very many. */
const MAX_HOLDERS = 1_000;
const MAX_CANDIDATES = 20;

const FIND = `
WITH holders AS (
  SELECT c.repo_id, b.id, b.size, b.storage_key FROM blobs b JOIN repo_content c ON c.blob_id = b.id
  WHERE b.domain = $1 AND b.digest = $2 AND b.state = 'live' LIMIT ${MAX_HOLDERS}
)
SELECT r.id, r.path, r.namespace_id AS "namespaceId", r.visibility, r.sparse, r.listed_at IS NOT NULL AS listed,
  h.id AS "blobId", h.size, h.storage_key AS "storageKey"
FROM holders h JOIN repos r ON r.id = h.repo_id
WHERE r.deleted_at IS NULL AND (r.visibility = 'public' OR r.namespace_id = $3 OR $4)
LIMIT ${MAX_CANDIDATES}`;

@Injectable()
export class MountRepository {
  constructor(@InjectRepository(Blob) private readonly blobs: Repository<Blob>) {}

  /** What the caller could mount from without naming it: public repositories, and those of its own namespace. */
  candidates({ domain, digest, namespaceId, everything }: MountSearch): Promise<MountSource[]> {
    return this.blobs.manager.query(FIND, [domain, digestToBytes(digest), namespaceId, everything]);
  }
}
