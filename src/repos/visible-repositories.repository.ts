import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { RepositoryName } from '../oci/repository-name.js';
import { Repo } from './repo.entity.js';
import type { View } from './view.js';

export interface Keyset {
  /** Exclusive; the empty string begins at the first. */
  readonly after: string;
  readonly limit: number;
}

const LISTED = `r.deleted_at IS NULL AND r.listed_at IS NOT NULL AND r.path > $1
  AND ($3::text[] IS NULL OR r.path LIKE ANY ($3))`;

const ALL = `SELECT r.path FROM repos r WHERE ${LISTED} ORDER BY r.path LIMIT $2`;

/** Each set is limited by its own index before they are merged: the cost follows the page, not the registry. */
const VISIBLE = `
SELECT path FROM (
  (SELECT r.path FROM repos r WHERE r.visibility = 'public' AND ${LISTED} ORDER BY r.path LIMIT $2)
  UNION
  (SELECT s.path FROM unnest($4::bigint[]) AS n(id), LATERAL (
    SELECT r.path FROM repos r WHERE r.namespace_id = n.id AND ${LISTED} ORDER BY r.path LIMIT $2
  ) s)
  UNION
  (SELECT r.path FROM repo_grants g JOIN repos r ON r.id = g.repo_id
   WHERE (g.user_id = $5 OR g.robot_id = $6 OR g.team_id = ANY ($7)) AND ${LISTED} ORDER BY r.path LIMIT $2)
) visible ORDER BY path LIMIT $2`;

/** Lists of what a caller may see. */
@Injectable()
export class VisibleRepositoriesRepository {
  constructor(@InjectRepository(Repo) private readonly repos: Repository<Repo>) {}

  async paths(view: View, { after, limit }: Keyset): Promise<RepositoryName[]> {
    const { everything, namespaceIds, userId, robotId, teamIds, patterns } = view;
    const own = everything ? [] : [namespaceIds, userId, robotId, teamIds];
    const rows = await this.repos.manager.query<{ path: RepositoryName }[]>(everything ? ALL : VISIBLE, [
      after,
      limit,
      patterns,
      ...own,
    ]);
    return rows.map(({ path }) => path);
  }
}
