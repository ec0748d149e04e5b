import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { Upload } from '../upload.entity.js';

export interface OpenUploadsCount {
  readonly uploads: number;
  /** Bytes that rows of these hold themselves, or will. */
  readonly bytes: number;
}

const COUNT = `
SELECT count(*)::int AS uploads, coalesce(sum(octet_length(u.head)), 0)::int AS bytes FROM (
  SELECT head FROM uploads WHERE principal = $1 AND state IN ('open', 'direct') AND expires_at > now() LIMIT $2
) u`;

@Injectable()
export class OpenUploadsRepository {
  constructor(@InjectRepository(Upload) private readonly uploads: Repository<Upload>) {}

  /** Those of a principal, at most `limit`. */
  async count(principal: string, limit: number): Promise<OpenUploadsCount> {
    const [row] = await this.uploads.manager.query<OpenUploadsCount[]>(COUNT, [principal, limit]);
    return row ?? { uploads: 0, bytes: 0 };
  }
}
