import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { AppConfig } from '../../config/config.js';
import { RefreshToken } from '../sessions/refresh-token.entity.js';

/** Labels of one holder; other credentials are checked one by one. */
export const REVOKED_KEPT = 100;

/** Seconds that clocks of nodes and database may differ by, and a token may be late that a revocation overtook. */
const CLOCK_TOLERANCE = 5;

/** What was revoked a short time ago, and is therefore still believed by something that was made before. */
export interface RevokedCredentials {
  /** The last ones, as `credentialLabel` and `keyLabel` write them. */
  readonly labels: readonly string[];
  /** Seconds since the epoch; every revocation that is not among the labels was before; `null` when there is none. */
  readonly until: number | null;
}

interface Revocation {
  readonly label: string;
  /** Seconds since the epoch. */
  readonly at: number;
}

const recent = (label: string, table: string, holder: string, which = 'true'): string => `
(SELECT ${label} AS label, extract(epoch FROM revoked_at)::float8 AS at FROM ${table}
 WHERE ${holder} = $1 AND revoked_at > now() - $2 * interval '1 second' AND ${which} ORDER BY revoked_at DESC LIMIT $3)`;

// A family has one row per refresh; only the newest is unused.
const SESSIONS = recent(`kind || ':' || family`, 'refresh_tokens', 'user_id', 'used_at IS NULL');

const OF_USER = `${SESSIONS} UNION ALL ${recent(`'key:' || id`, 'api_keys', 'user_id')} ORDER BY at DESC LIMIT $3`;

const OF_ROBOT = recent(`'key:' || id`, 'api_keys', 'robot_id');

// A credential without a row was deleted with its holder or has expired.
const IS_LIVE = {
  family: 'SELECT FROM refresh_tokens WHERE family = $1 AND revoked_at IS NULL LIMIT 1',
  key: 'SELECT FROM api_keys WHERE id = $1 AND revoked_at IS NULL',
} as const;

const LABEL = /^(session|offline|key):([\da-f-]{36})$/;

/** A password is not revoked: its change raises the version of the credentials. */
export function canBeRevoked(label: string): boolean {
  return LABEL.test(label);
}

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

  ofUser(id: number): Promise<RevokedCredentials> {
    return this.find(OF_USER, id);
  }

  ofRobot(id: number): Promise<RevokedCredentials> {
    return this.find(OF_ROBOT, id);
  }

  /** Whether the credential's row is revoked or absent; false for a label without a row. */
  async isRevoked(label: string): Promise<boolean> {
    const [, kind, id] = LABEL.exec(label) ?? [];
    if (kind === undefined) return false;
    const sql = kind === 'key' ? IS_LIVE.key : IS_LIVE.family;
    return (await this.tokens.manager.query<unknown[]>(sql, [id])).length === 0;
  }

  private async find(sql: string, id: number): Promise<RevokedCredentials> {
    const rows = await this.tokens.manager.query<Revocation[]>(sql, [id, this.afterlife, REVOKED_KEPT + 1]);
    const next = rows[REVOKED_KEPT];
    return {
      labels: [...new Set(rows.slice(0, REVOKED_KEPT).map(({ label }) => label))],
      until: next ? Math.floor(next.at) + CLOCK_TOLERANCE : null,
    };
  }
}
