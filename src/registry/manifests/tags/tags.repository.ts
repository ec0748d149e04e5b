import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { Tag as TagName } from '../../../oci/reference.js';
import { Tag } from './tag.entity.js';

const LIST = 'SELECT name FROM tags WHERE repo_id = $1 AND name > $2 ORDER BY name LIMIT $3';

@Injectable()
export class TagsRepository {
  constructor(@InjectRepository(Tag) private readonly tags: Repository<Tag>) {}

  /** In ASCII order, which is the column's own (`COLLATE "C"`). */
  async list(repoId: number, { after, limit }: { after: string; limit: number }): Promise<TagName[]> {
    const rows: { name: TagName }[] = await this.tags.manager.query(LIST, [repoId, after, limit]);
    return rows.map(({ name }) => name);
  }
}
