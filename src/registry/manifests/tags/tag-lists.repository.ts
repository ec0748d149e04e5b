import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { digestFromBytes } from '../../../oci/digest-bytes.js';
import type { Digest } from '../../../oci/digest.js';
import type { Tag as TagName } from '../../../oci/reference.js';
import { principalName } from '../../repos/grants/principal-name.js';
import { MANIFEST_COLUMNS, type ShownManifest } from '../details/manifest-details.repository.js';
import { Tag } from './tag.entity.js';

export const TAG_SORTS = ['name', '-name', 'pushedAt', '-pushedAt'] as const;
export type TagSort = (typeof TAG_SORTS)[number];

/** A tag with what is shown of its manifest; `pushedAt` and `pushedBy` are of the tag. */
export interface TagRow extends ShownManifest, TagPosition {
  readonly name: TagName;
  readonly createdAt: Date;
}

/** Where a page begins: after this tag, in the order of the sort. */
export interface TagPosition {
  readonly name: string;
  /** Microseconds since the epoch, which the column has and a Date does not. */
  readonly pushedAtMicros: number;
}

export interface TagQuery {
  readonly repoId: number;
  readonly sort: TagSort;
  /** Part of the name; the empty string is part of each. */
  readonly part: string;
  /** `null` begins at the first. */
  readonly after: TagPosition | null;
  readonly limit: number;
}

/** One event of a tag: a push that moved it, or its delete. */
export interface TagEventRow {
  readonly id: number;
  readonly oldDigest: Digest | null;
  readonly newDigest: Digest | null;
  /** A present name. */
  readonly actor: string | null;
  readonly at: Date;
}

// Only the page's tags meet their manifests; the position is compared without a condition around it, so that it is one of
// the index. The part of the name is looked for in the tags of this repository alone.
const TAGS = `
SELECT name, digest, repo_id, pushed_by, created_at, updated_at,
  (extract(epoch FROM updated_at) * 1000000)::bigint AS micros
FROM tags WHERE repo_id = $1`;
const SHOWN = `
SELECT t.name, ${MANIFEST_COLUMNS}, t.created_at AS "createdAt", t.updated_at AS "pushedAt",
  t.micros AS "pushedAtMicros", ${principalName('t.pushed_by')} AS "pushedBy"`;
const THEIR_MANIFESTS = 'JOIN manifests m ON m.repo_id = t.repo_id AND m.digest = t.digest';
const MICROS = `timestamptz 'epoch' + $4 * interval '1 microsecond'`;

const pageOf = (after: string, order: string): string => `${SHOWN}
FROM (${TAGS} AND ${after} AND strpos(name, $3) > 0 ORDER BY ${order} LIMIT $2) t ${THEIR_MANIFESTS}
ORDER BY ${order.replaceAll(/\b(?=name|updated_at)/g, 't.')}`;

const byName = ({ name }: TagPosition) => [name];
const byPush = ({ pushedAtMicros, name }: TagPosition) => [pushedAtMicros, name];
/** Before and after every tag: their names are ASCII letters, digits, `.`, `_` and `-`. */
const [FIRST, LAST] = [
  { name: '', pushedAtMicros: 0 },
  { name: '~', pushedAtMicros: Number.MAX_SAFE_INTEGER },
];

const PAGES = {
  name: { sql: pageOf('name > $4', 'name'), start: FIRST, position: byName },
  '-name': { sql: pageOf('name < $4', 'name DESC'), start: LAST, position: byName },
  pushedAt: { sql: pageOf(`(updated_at, name) > (${MICROS}, $5)`, 'updated_at, name'), start: FIRST, position: byPush },
  '-pushedAt': {
    sql: pageOf(`(updated_at, name) < (${MICROS}, $5)`, 'updated_at DESC, name DESC'),
    start: LAST,
    position: byPush,
  },
} as const satisfies Record<TagSort, { sql: string; start: TagPosition; position: (at: TagPosition) => unknown[] }>;

const FIND = `${SHOWN} FROM (${TAGS} AND name = $2) t ${THEIR_MANIFESTS}`;

const HISTORY = `
SELECT e.id, e.old_digest AS "oldDigest", e.new_digest AS "newDigest", ${principalName('e.actor')} AS actor, e.at
FROM tag_events e WHERE e.repo_id = $1 AND e.tag = $2 AND e.id < $3 ORDER BY e.id DESC LIMIT $4`;

type Stored<Row> = { [key in keyof Row]: Row[key] extends Digest | null ? Buffer | (Row[key] & null) : Row[key] };

/** Tags as the management API shows them. */
@Injectable()
export class TagListsRepository {
  constructor(@InjectRepository(Tag) private readonly tags: Repository<Tag>) {}

  async list({ repoId, sort, part, after, limit }: TagQuery): Promise<TagRow[]> {
    const { sql, start, position } = PAGES[sort];
    const rows = await this.query<Stored<TagRow>>(sql, [repoId, limit, part, ...position(after ?? start)]);
    return rows.map(toTag);
  }

  async find(repoId: number, tag: TagName): Promise<TagRow | null> {
    const [row] = await this.query<Stored<TagRow>>(FIND, [repoId, tag]);
    return row ? toTag(row) : null;
  }

  /** Of a tag that need not exist any more; the last event first, below the event given. */
  async history(repoId: number, tag: TagName, page: { below: number | null; limit: number }): Promise<TagEventRow[]> {
    const parameters = [repoId, tag, page.below ?? Number.MAX_SAFE_INTEGER, page.limit];
    const rows = await this.query<Stored<TagEventRow>>(HISTORY, parameters);
    return rows.map(({ oldDigest, newDigest, ...row }) => ({
      ...row,
      oldDigest: oldDigest && digestFromBytes(oldDigest),
      newDigest: newDigest && digestFromBytes(newDigest),
    }));
  }

  private query<T>(sql: string, parameters: unknown[]): Promise<T[]> {
    return this.tags.manager.query(sql, parameters);
  }
}

function toTag({ digest, ...row }: Stored<TagRow>): TagRow {
  return { ...row, digest: digestFromBytes(digest) };
}
