import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { AppConfig } from '../../../config/config.js';
import { PeriodicTask } from '../../../periodic/periodic-task.js';
import { secretFingerprint } from './secret-fingerprint.js';
import { TokenSecretsRepository } from './token-secrets.repository.js';

const EVERY_MS = 60_000;

/**
 * Warns while live nodes have different `JWT_SECRET`s: each refuses the tokens and API keys of the others with 401, which
 * looks like wrong credentials. It is no reason to refuse a start, since a rotation by rolling update passes through it.
 */
@Injectable()
export class TokenSecretsService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('TokenSecrets');
  private readonly secret: string;
  private readonly isReporter: boolean;
  private own: number | null = null;
  private differs = false;
  private readonly task = new PeriodicTask({
    name: 'token-secrets',
    pauseMs: EVERY_MS,
    jitter: 0,
    failure: 'JWT_SECRET is compared with that of other nodes later',
    run: () => this.look(),
  });

  constructor(
    private readonly secrets: TokenSecretsRepository,
    { security, database, server }: AppConfig,
  ) {
    this.secret = security.jwtSecret;
    // One process speaks for its node. `isFirst` would end with the first worker: the one that replaces it has its id.
    this.isReporter = !database.embedded && (server.worker === null || server.worker.id === 1);
  }

  onApplicationBootstrap(): void {
    if (!this.isReporter) return;
    void this.compare();
    this.task.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.task.stop();
  }

  /** Reports this node's secret and compares it with those of other live nodes. Never throws. */
  compare(): Promise<void> {
    return this.task.now();
  }

  private async look(): Promise<void> {
    const own = (this.own ??= await secretFingerprint(this.secret));
    this.tell(own, await this.secrets.report(own));
  }

  private tell(own: number, others: readonly number[]): void {
    if (others.length > 0)
      this.logger.warn({
        event: 'secrets.differ',
        own: shown(own),
        others: others.map(shown),
        message:
          'JWT_SECRET of this node is not that of all nodes: tokens, sessions and API keys of the one are refused with 401 ' +
          'by the other. During a rotation by rolling update this is expected and ends with it; otherwise give all nodes ' +
          'the same JWT_SECRET. See AerugoTokenSecretsDiffer in docs/operations.md',
      });
    else if (this.differs)
      this.logger.log({ event: 'secrets.agree', own: shown(own), message: 'all nodes have the same JWT_SECRET again' });
    this.differs = others.length > 0;
  }
}

function shown(fingerprint: number): string {
  return fingerprint.toString(16).padStart(4, '0');
}
