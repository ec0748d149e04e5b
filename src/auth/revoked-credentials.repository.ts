import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { AppConfig } from '../config/config.js';
import { RefreshToken } from './refresh-token.entity.js';

const OF_USER = `
SELECT DISTINCT kind || ':' || family AS label FROM refresh_tokens
WHERE user_id = $1 AND revoked_at > now() - $2 * interval '1 second'
UNION ALL
SELECT 'key:' || id FROM api_keys WHERE user_id = $1 AND revoked_at > now() - $2 * interval '1 second'`;

const OF_ROBOT = `
SELECT 'key:' || id AS label FROM api_keys WHERE robot_id = $1 AND revoked_at > now() - $2 * interval '1 second'`;

/** What was revoked a short time ago, and is therefore still believed by something that was made before. */
@Injectable()
export class RevokedCredentialsRepository {
  /** How long an access token may be accepted after what bought it was revoked; seconds. */
  private readonly afterlife: number;

  constructor(
    @InjectRepository(RefreshToken) private readonly tokens: Repository<RefreshToken>,
    { security, storage }: AppConfig,
  ) {
    this.afterlife = security.accessTokenSeconds + storage.uploadExpirySeconds;
  }

  /** Labels, as `credentialLabel` and `keyLabel` write them. */
  labelsOfUser(id: number): Promise<string[]> {
    return this.labels(OF_USER, id);
  }

  labelsOfRobot(id: number): Promise<string[]> {
    return this.labels(OF_ROBOT, id);
  }

  private async labels(sql: string, id: number): Promise<string[]> {
    const rows = await this.tokens.manager.query<{ label: string }[]>(sql, [id, this.afterlife]);
    return rows.map(({ label }) => label);
  }
}
