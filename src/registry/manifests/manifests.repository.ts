import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { ManifestContent } from '../blobs/referenced-content.js';
import type { Transaction } from '../../database/unit-of-work.js';
import { type ComposedEvents, compositions } from '../../events/composed-events.js';
import type { EventRows } from '../../events/projections/outbox-messages.js';
import { digestFromBytes, digestsToArray, digestToBytes } from '../../oci/digest-bytes.js';
import type { Digest } from '../../oci/digest.js';
import { OciError } from '../../oci/oci-error.js';
import type { Reference, Tag } from '../../oci/reference.js';
import type { Actor } from '../../access/actor.js';
import { Manifest } from './manifest.entity.js';

/** What a reference leads to, as it is cached: a JSON value. */
export interface ManifestFact {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes of the manifest itself. */
  readonly size: number;
}

/** What a push knows of its manifest; an image's platform is its config's to say, which is a blob. */
export type NewManifest = Omit<
  Manifest,
  | 'repoId'
  | 'repo'
  | 'details'
  | 'os'
  | 'architecture'
  | 'variant'
  | 'pushedBy'
  | 'pushedAt'
  | 'pulledAt'
  | 'pulls'
  | 'deletedAt'
>;

/** A tag that was pushed, and what it pointed to before; null when there was none. */
export interface MovedTag {
  readonly tag: Tag;
  readonly replaced: Digest | null;
}

/** What is written together with a manifest. */
export interface PushedRows {
  readonly edges: ManifestContent['edges'];
  readonly tags: readonly Tag[];
  readonly actor: Actor;
  /** Of the push; what it moves is added to them here. */
  readonly events: ComposedEvents;
}

const FACT = 'm.digest, m.media_type AS "mediaType", m.size';
const FIND = {
  tag: `
SELECT ${FACT} FROM tags t JOIN manifests m ON m.repo_id = t.repo_id AND m.digest = t.digest
WHERE t.repo_id = $1 AND t.name = $2 AND m.deleted_at IS NULL`,
  digest: `SELECT ${FACT} FROM manifests m WHERE m.repo_id = $1 AND m.digest = $2 AND m.deleted_at IS NULL`,
} as const;

const BYTES = 'SELECT bytes FROM manifests WHERE repo_id = $1 AND digest = $2';
const HAS_BYTES = 'SELECT FROM manifests WHERE repo_id = $1 AND digest = $2';

const digestText = (column: string): string =>
  `CASE get_byte(${column}, 0) WHEN 18 THEN 'sha256:' WHEN 19 THEN 'sha512:' END || encode(substr(${column}, 2), 'hex')`;

/** The event of each tag that a push moves: only its statement knows from where. */
export const MOVED_TAGS: EventRows = {
  type: 'tag.moved',
  select: `
    SELECT ':' || name AS part, jsonb_build_object('tag', name, 'digest', ${digestText('$2::bytea')},
      'previous', ${digestText('replaced')}) AS data
    FROM moved WHERE replaced IS DISTINCT FROM $2`,
};

// One statement for all rows of a push. Tags are written in the order of their names, so that two pushes of the same
// tags wait for each other and never in a circle; an upsert returns what it replaced, also after such a wait.
// A present manifest keeps its type: under another one the upsert writes nothing, which leaves the answer without rows, as
// does a repository that was deleted after the push was judged.
const save = (events: string): string => `
WITH manifest AS (
  INSERT INTO manifests (repo_id, digest, media_type, artifact_type, subject, size, bytes, config_digest,
    config_media_type, content_size, platforms, annotations, pushed_by, pushed_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $17, $18, $11, now())
  ON CONFLICT (repo_id, digest) DO UPDATE SET media_type = excluded.media_type,
    artifact_type = excluded.artifact_type, subject = excluded.subject, config_digest = excluded.config_digest,
    config_media_type = excluded.config_media_type, content_size = excluded.content_size,
    platforms = coalesce(excluded.platforms, manifests.platforms), annotations = excluded.annotations,
    pushed_by = excluded.pushed_by, pushed_at = excluded.pushed_at, deleted_at = NULL
  WHERE manifests.deleted_at IS NOT NULL OR manifests.media_type = excluded.media_type
  RETURNING digest
), edges AS (
  INSERT INTO manifest_refs (repo_id, parent, child, child_kind)
  SELECT $1, $2, e.child, e.kind FROM unnest($12::bytea[], $13::text[]) AS e(child, kind)
  ORDER BY e.child, e.kind
  ON CONFLICT DO NOTHING
), moved AS (
  INSERT INTO tags (repo_id, name, digest, pushed_by)
  SELECT $1, n.name, $2, $11 FROM unnest($14::text[]) AS n(name) ORDER BY n.name COLLATE "C"
  ON CONFLICT (repo_id, name) DO UPDATE SET replaced = tags.digest, digest = excluded.digest,
    pushed_by = excluded.pushed_by, updated_at = now()
  RETURNING name, replaced
), events AS (
  INSERT INTO tag_events (repo_id, tag, old_digest, new_digest, actor, credential, address)
  SELECT $1, name, replaced, $2, $11, $15, $16 FROM moved WHERE replaced IS DISTINCT FROM $2
), ${events}
SELECT m.name AS tag, m.replaced
FROM manifest JOIN repos r ON r.id = $1 AND r.deleted_at IS NULL LEFT JOIN moved m ON true`;

const PUSH_EVENTS = compositions(19, MOVED_TAGS);
const SAVE = {
  entry: save(PUSH_EVENTS.entry),
  messages: save(PUSH_EVENTS.messages),
  rows: save(PUSH_EVENTS.rows),
} as const;

const WHY_NOT_SAVED = `
SELECT r.path, r.deleted_at IS NOT NULL AS "isDeleted", m.media_type AS "mediaType"
FROM repos r LEFT JOIN manifests m ON m.repo_id = r.id AND m.digest = $2 WHERE r.id = $1`;

const LOCK_TAG = 'SELECT digest FROM tags WHERE repo_id = $1 AND name = $2 FOR UPDATE';

const REMOVE_TAG = `
WITH gone AS (
  DELETE FROM tags WHERE repo_id = $1 AND name = $2 RETURNING name, digest
), events AS (
  INSERT INTO tag_events (repo_id, tag, old_digest, actor, credential, address)
  SELECT $1, name, digest, $3, $4, $5 FROM gone
)
SELECT digest FROM gone`;

const REMOVE = `
WITH locked AS (
  SELECT name FROM tags WHERE repo_id = $1 AND digest = $2 ORDER BY name FOR UPDATE
), gone AS (
  DELETE FROM tags WHERE repo_id = $1 AND name IN (SELECT name FROM locked) RETURNING name
), events AS (
  INSERT INTO tag_events (repo_id, tag, old_digest, actor, credential, address)
  SELECT $1, name, $2, $3, $4, $5 FROM gone ORDER BY name
), edges AS (
  DELETE FROM manifest_refs WHERE repo_id = $1 AND parent = $2
), buried AS (
  UPDATE manifests SET deleted_at = now() WHERE repo_id = $1 AND digest = $2
)
SELECT name FROM gone ORDER BY name`;

/** All statements on manifests, their edges, tags and the tags' history, except lists. */
@Injectable()
export class ManifestsRepository {
  constructor(@InjectRepository(Manifest) private readonly manifests: Repository<Manifest>) {}

  async find(repoId: number, reference: Reference): Promise<ManifestFact | null> {
    const key = reference.kind === 'tag' ? reference.tag : digestToBytes(reference.digest);
    const [row] = await this.query<Omit<ManifestFact, 'digest'> & { digest: Buffer }>(FIND[reference.kind], [
      repoId,
      key,
    ]);
    return row ? { ...row, digest: digestFromBytes(row.digest) } : null;
  }

  /** Also those of a deleted manifest: whether it is there is `find`'s to say. */
  async bytes(repoId: number, digest: Digest): Promise<Buffer | null> {
    const [row] = await this.query<{ bytes: Buffer }>(BYTES, [repoId, digestToBytes(digest)]);
    return row?.bytes ?? null;
  }

  async hasBytes(repoId: number, digest: Digest): Promise<boolean> {
    return (await this.query(HAS_BYTES, [repoId, digestToBytes(digest)])).length > 0;
  }

  /**
   * Writes the manifest, also one that was deleted, and points the tags to it. Its content is linked already. Throws
   * `mediaTypeFixed` when the repository has it under another type, `nameUnknown` when it was deleted.
   */
  async save(
    tx: Transaction,
    repoId: number,
    manifest: NewManifest,
    { edges, tags, actor, events }: PushedRows,
  ): Promise<MovedTag[]> {
    const rows = await tx.query<{ tag: Tag | null; replaced: Buffer | null }>(SAVE[events.kind], [
      repoId,
      digestToBytes(manifest.digest),
      manifest.mediaType,
      manifest.artifactType,
      manifest.subject && digestToBytes(manifest.subject),
      manifest.size,
      manifest.bytes,
      manifest.configDigest && digestToBytes(manifest.configDigest),
      manifest.configMediaType,
      manifest.contentSize,
      actor.principal,
      digestsToArray(edges.map(({ digest }) => digest)),
      `{${edges.map(({ kind }) => kind).join(',')}}`,
      tags,
      actor.credential,
      actor.address,
      manifest.platforms,
      manifest.annotations,
      ...events.parameters,
    ]);
    if (rows.length === 0) throw await this.refusal(tx, repoId, manifest);
    return rows.flatMap(({ tag, replaced }) =>
      tag === null ? [] : [{ tag, replaced: replaced && digestFromBytes(replaced) }],
    );
  }

  private async refusal(
    tx: Transaction,
    repoId: number,
    { digest, mediaType: contentType }: NewManifest,
  ): Promise<OciError> {
    type Why = { path: string; isDeleted: boolean; mediaType: string | null };
    const [why] = await tx.query<Why>(WHY_NOT_SAVED, [repoId, digestToBytes(digest)]);
    if (why?.isDeleted !== false) return new OciError('nameUnknown', { name: why?.path });
    const mediaType = why.mediaType ?? '';
    return new OciError('mediaTypeFixed', { digest, mediaType, contentType }, { reason: mediaType });
  }

  /** What it points to until the transaction ends; `null` when there is no such tag. */
  async lockTag(tx: Transaction, repoId: number, tag: Tag): Promise<Digest | null> {
    const [row] = await tx.query<{ digest: Buffer }>(LOCK_TAG, [repoId, tag]);
    return row ? digestFromBytes(row.digest) : null;
  }

  /** What it pointed to; `null` when there is no such tag. */
  async removeTag(tx: Transaction, repoId: number, tag: Tag, actor: Actor): Promise<Digest | null> {
    const parameters = [repoId, tag, actor.principal, actor.credential, actor.address];
    const [gone] = await tx.query<{ digest: Buffer }>(REMOVE_TAG, parameters);
    return gone ? digestFromBytes(gone.digest) : null;
  }

  /**
   * Its tags and edges go, the row stays as deleted: what was pushed and by whom can still be told. Gives the tags, by
   * name.
   */
  async remove(tx: Transaction, repoId: number, digest: Digest, actor: Actor): Promise<Tag[]> {
    const parameters = [repoId, digestToBytes(digest), actor.principal, actor.credential, actor.address];
    const gone = await tx.query<{ name: Tag }>(REMOVE, parameters);
    return gone.map(({ name }) => name);
  }

  private query<T>(sql: string, parameters: unknown[]): Promise<T[]> {
    return this.manifests.manager.query(sql, parameters);
  }
}
