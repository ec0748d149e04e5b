import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { TokenSecret } from './token-secret.entity.js';

/** A node that has said nothing for this long has ended; two of its reports may be late or lost. */
const LIVE_SECONDS = 150;
/** For a line of the log. */
const MAX_OTHERS = 20;

// The parts of a statement see the table as it was before: what `gone` removes and `seen` writes is left out by condition.
const REPORT = `
WITH gone AS (
  DELETE FROM token_secrets WHERE fingerprint <> $1 AND seen_at < now() - make_interval(secs => $2)
), seen AS (
  INSERT INTO token_secrets (fingerprint, seen_at) VALUES ($1, now())
  ON CONFLICT (fingerprint) DO UPDATE SET seen_at = excluded.seen_at
)
SELECT fingerprint FROM token_secrets
WHERE fingerprint <> $1 AND seen_at >= now() - make_interval(secs => $2)
ORDER BY fingerprint LIMIT $3`;

@Injectable()
export class TokenSecretsRepository {
  constructor(@InjectRepository(TokenSecret) private readonly rows: Repository<TokenSecret>) {}

  /** Says that a live node has this secret, and returns which others live nodes have. Removes those of nodes that ended. */
  async report(fingerprint: number): Promise<number[]> {
    const rows = await this.rows.manager.query<{ fingerprint: number }[]>(REPORT, [
      fingerprint,
      LIVE_SECONDS,
      MAX_OTHERS,
    ]);
    return rows.map((row) => row.fingerprint);
  }
}
