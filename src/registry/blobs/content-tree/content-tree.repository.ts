import { Injectable } from '@nestjs/common';
import type { Transaction } from '../../../database/unit-of-work.js';
import { digestFromBytes, digestToBytes } from '../../../oci/digest-bytes.js';
import type { Digest } from '../../../oci/digest.js';
import type { ContentKind } from '../repo-content.entity.js';

/** A manifest that needs some content, itself or through what it names. */
export interface NeedingManifest {
  readonly digest: Digest;
  /** One of its tags; null where the search was given up. */
  readonly tag: string | null;
}

/** A manifest, and what it names and the repository does not hold. */
export interface IncompleteManifest {
  readonly digest: Digest;
  /** Bytes of the manifest itself. */
  readonly size: number;
  readonly absent: readonly Digest[];
}

export interface StoredDocument {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

// Of one repository, hence two keys; the second wraps around, and two repositories that share it only wait for each other.
const LOCK_CLASS = 7_236_403;
const LOCK_KEYS = `${LOCK_CLASS}, ($1::bigint % 2147483647)::integer`;
const LOCK_SHARED = `SELECT pg_advisory_xact_lock_shared(${LOCK_KEYS})`;
const LOCK_EXCLUSIVE = `SELECT pg_advisory_xact_lock(${LOCK_KEYS})`;

const IS_NAMED = `
SELECT 1 FROM manifest_refs WHERE repo_id = $1 AND child = $2 AND child_kind = $3 LIMIT 1`;

// OFFSET 0 keeps each step a walk along an index, whatever the planner believes of a recursive table. The rows of the
// recursion are made as they are asked for: the search ends with the first few tags, or with its limit.
const TAGGED_ABOVE = `
WITH RECURSIVE needing (digest) AS (
  SELECT parent FROM manifest_refs WHERE repo_id = $1 AND child = $2 AND child_kind = $3
  UNION
  SELECT above.parent FROM needing n CROSS JOIN LATERAL (
    SELECT parent FROM manifest_refs WHERE repo_id = $1 AND child = n.digest AND child_kind = 'manifest' OFFSET 0
  ) above
)
SELECT n.digest, t.name AS tag
FROM (SELECT digest, row_number() OVER () AS place FROM needing LIMIT $4::bigint + 1) n
LEFT JOIN LATERAL (SELECT name FROM tags WHERE repo_id = $1 AND digest = n.digest ORDER BY name LIMIT 1) t ON true
WHERE t.name IS NOT NULL OR n.place > $4
LIMIT $5`;

const INCOMPLETE_BELOW = `
WITH RECURSIVE below (digest) AS (
  SELECT unnest($2::bytea[])
  UNION
  SELECT named.child FROM below b CROSS JOIN LATERAL (
    SELECT child FROM manifest_refs WHERE repo_id = $1 AND parent = b.digest AND child_kind = 'manifest' OFFSET 0
  ) named
), absent AS (
  SELECT b.digest AS parent, named.child
  FROM (SELECT digest FROM below LIMIT $3) b
  CROSS JOIN LATERAL (
    SELECT child, child_kind FROM manifest_refs WHERE repo_id = $1 AND parent = b.digest OFFSET 0
  ) named
  CROSS JOIN LATERAL (
    SELECT 1 FROM repo_content c
    WHERE c.repo_id = $1 AND c.digest = named.child AND c.kind = named.child_kind AND NOT c.present OFFSET 0
  ) missing
  LIMIT $3
)
SELECT a.parent AS digest, m.size, a.absent
FROM (SELECT parent, array_agg(child) AS absent FROM absent GROUP BY parent) a
CROSS JOIN LATERAL (SELECT size FROM manifests WHERE repo_id = $1 AND digest = a.parent OFFSET 0) m`;

const DOCUMENTS = `
SELECT digest, media_type AS "mediaType", bytes FROM manifests WHERE repo_id = $1 AND digest = ANY($2::bytea[])`;

/** What is above and below one content along the edges of its repository, at any depth. */
@Injectable()
export class ContentTreeRepository {
  /** Until the transaction ends nothing in the repository is withdrawn that a manifest names: see `lockForDelete`. */
  async lockForPush(tx: Transaction, repoId: number): Promise<void> {
    await tx.query(LOCK_SHARED, [repoId]);
  }

  /**
   * Waits for the pushes of manifests that name manifests, and keeps others away until the transaction ends. A push locks
   * only what it names itself; what is further below could be withdrawn while its tag is on the way. Taken after the
   * locks on `repo_content` and before those on tags, on both sides.
   */
  async lockForDelete(tx: Transaction, repoId: number): Promise<void> {
    await tx.query(LOCK_EXCLUSIVE, [repoId]);
  }

  /** Whether a manifest of the repository names it. */
  async isNamed(tx: Transaction, repoId: number, digest: Digest, kind: ContentKind): Promise<boolean> {
    return (await tx.query(IS_NAMED, [repoId, digestToBytes(digest), kind])).length > 0;
  }

  /**
   * The first `show` tagged manifests that need the content, at any depth. After `look` manifests the search is given
   * up, with the next one as its answer.
   */
  async taggedAbove(
    tx: Transaction,
    repoId: number,
    { digest, kind }: { readonly digest: Digest; readonly kind: ContentKind },
    { look, show }: { readonly look: number; readonly show: number },
  ): Promise<NeedingManifest[]> {
    const rows = await tx.query<{ digest: Buffer; tag: string | null }>(TAGGED_ABOVE, [
      repoId,
      digestToBytes(digest),
      kind,
      look,
      show,
    ]);
    return rows.map((row) => ({ digest: digestFromBytes(row.digest), tag: row.tag }));
  }

  /** Of these manifests and of those below them, the first `look` at most: which name content that is absent. */
  async incompleteBelow(
    tx: Transaction,
    repoId: number,
    manifests: readonly Digest[],
    look: number,
  ): Promise<IncompleteManifest[]> {
    const rows = await tx.query<{ digest: Buffer; size: number; absent: Buffer[] }>(INCOMPLETE_BELOW, [
      repoId,
      manifests.map(digestToBytes),
      look,
    ]);
    return rows.map(({ digest, size, absent }) => ({
      digest: digestFromBytes(digest),
      size,
      absent: absent.map(digestFromBytes),
    }));
  }

  async documents(tx: Transaction, repoId: number, digests: readonly Digest[]): Promise<StoredDocument[]> {
    const rows = await tx.query<Omit<StoredDocument, 'digest'> & { digest: Buffer }>(DOCUMENTS, [
      repoId,
      digests.map(digestToBytes),
    ]);
    return rows.map((row) => ({ ...row, digest: digestFromBytes(row.digest) }));
  }
}
