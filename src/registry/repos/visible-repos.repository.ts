import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { PAGE_BYTES } from '../../http/paging/list-reply.js';
import type { RepositoryName } from '../../oci/repository-name.js';
import { Repo } from './repo.entity.js';
import type { VisibleSet } from './visible-set.js';

export interface Keyset {
  /** Exclusive; the empty string begins at the first. */
  readonly after: string;
  readonly limit: number;
}

export interface RepositoryQuery extends Keyset {
  /** Text that the path has; `null` for all. */
  readonly containing: string | null;
}

/** A repository as lists show it. */
export type ListedRepo = Pick<Repo, 'path' | 'visibility' | 'sparse' | 'description' | 'createdAt' | 'updatedAt'>;

/**
 * One of the sets that a list is the union of. In each range of paths, for each namespace or grantee (`key`), it reads
 * a page at most from an index in the list's order: the cost follows the page, not the set. Rows are compared whole,
 * and never `column = k.id`: that would leave the planner free to walk all paths and filter them by the key.
 */
const set = ({ from, path, key }: SetOfPaths): string => {
  const row = key ? `${key.column}, ${path}` : path;
  const at = (bound: string): string => (key ? `(k.id, ${bound})` : bound);
  return `
  (SELECT s.path, s.id FROM unnest($3::text[], $4::text[]) AS w(first, beyond)${
    key ? `, unnest(${key.ids}::bigint[]) AS k(id)` : ''
  }, LATERAL (
    SELECT ${path}, r.id FROM ${from} AND r.deleted_at IS NULL AND r.listed_at IS NOT NULL
      AND (${row}) > ${at('$1')} AND (${row}) >= ${at('w.first')} AND (${row}) < ${at('w.beyond')}
      AND ($5::text IS NULL OR ${path} LIKE $5)
    ORDER BY ${row} LIMIT $2
  ) s)`;
};

interface SetOfPaths {
  readonly from: string;
  /** The column that has the path, and is the last of the index. */
  readonly path: string;
  /** The index's first column, and the parameter with the ids that are looked for in it. */
  readonly key?: { readonly column: string; readonly ids: string };
}

const granted = (column: string, ids: string): string =>
  set({
    from: 'repo_grants g JOIN repos r ON r.id = g.repo_id WHERE true',
    path: 'g.path',
    key: { column: `g.${column}`, ids },
  });

const ALL = set({ from: 'repos r WHERE true', path: 'r.path' });
const VISIBLE = [
  set({ from: `repos r WHERE r.visibility = 'public'`, path: 'r.path' }),
  set({ from: 'repos r WHERE true', path: 'r.path', key: { column: 'r.namespace_id', ids: '$6' } }),
  granted('user_id', '$7'),
  granted('robot_id', '$8'),
  granted('team_id', '$9'),
].join('\n  UNION');

const paths = (sets: string): string => `SELECT path, id FROM (${sets}) visible ORDER BY path LIMIT $2`;
// Descriptions that begin beyond a page's bytes are not read: the page ends before them.
const details = (sets: string): string => `
SELECT r.path, r.visibility, r.sparse, r.created_at AS "createdAt", r.updated_at AS "updatedAt",
  CASE WHEN sum(octet_length(r.description)) OVER (ORDER BY page.path) - octet_length(r.description) <= ${PAGE_BYTES}
    THEN r.description ELSE '' END AS description
FROM (${paths(sets)}) page JOIN repos r ON r.id = page.id ORDER BY page.path`;

const LISTS = {
  paths: { everything: paths(ALL), visible: paths(VISIBLE) },
  details: { everything: details(ALL), visible: details(VISIBLE) },
} as const;

export interface Statement {
  readonly sql: string;
  readonly values: unknown[];
}

/** The one statement that a page takes. */
export function visibleStatement(kind: keyof typeof LISTS, view: VisibleSet, query: RepositoryQuery): Statement {
  const { after, limit, containing } = query;
  const [first, beyond] = [view.ranges.map(({ from }) => from), view.ranges.map(({ to }) => to)];
  const pattern = containing === null ? null : `%${containing.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
  const common = [after, limit, first, beyond, pattern];
  if (view.everything) return { sql: LISTS[kind].everything, values: common };
  const one = (id: number | null): number[] => (id === null ? [] : [id]);
  const own = [view.namespaceIds, one(view.userId), one(view.robotId), view.teamIds];
  return { sql: LISTS[kind].visible, values: [...common, ...own] };
}

/** Lists of what a caller may see. */
@Injectable()
export class VisibleReposRepository {
  constructor(@InjectRepository(Repo) private readonly repos: Repository<Repo>) {}

  async paths(view: VisibleSet, keyset: Keyset): Promise<RepositoryName[]> {
    const rows = await this.run<{ path: RepositoryName }>(
      visibleStatement('paths', view, { ...keyset, containing: null }),
    );
    return rows.map(({ path }) => path);
  }

  details(view: VisibleSet, query: RepositoryQuery): Promise<ListedRepo[]> {
    return this.run(visibleStatement('details', view, query));
  }

  private run<T>({ sql, values }: Statement): Promise<T[]> {
    return this.repos.manager.query(sql, values);
  }
}
